"""The picture of a run at 80 and 200 columns, with little room, with hostile text."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some
from rich.cells import cell_len
from rich.console import Console

from engine.record.events import (
    Event,
    Logged,
    PhaseStarted,
    RunFinished,
    RunStarted,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepQueued,
    StepRetried,
    StepReused,
    StepStarted,
    Tokens,
)
from engine.record.view import RunView, fold
from workflows.cli.frame import Frame
from workflows.cli.glyphs import ASCII, UNICODE, glyphs_for
from workflows.cli.terminal import TerminalView

Happening = tuple[type[Any], dict[str, Any]]


def _view(*happenings: Happening) -> RunView:
    start: Happening = (
        RunStarted,
        {"run_id": "20261121-105457-3f9a", "workflow": "review-code", "phases": ["Review", "Synthesise"]},
    )
    events: list[Event] = [
        kind(seq=n, at=100.0, **fields) for n, (kind, fields) in enumerate([start, *happenings], 1)
    ]
    return fold(events)


def _lines(view: RunView, width: int, height: int, now: float = 180.0) -> list[str]:
    return [line.plain for line in Frame(view, now, width, height, UNICODE).lines()]


def _step(number: int, label: str, *more: Happening, phase: str = "Review") -> list[Happening]:
    queued: Happening = (
        StepQueued,
        {"step": number, "label": label, "key": "k", "phase": phase, "providers": ["claude"]},
    )
    return [queued, *((kind, {"step": number, **fields}) for kind, fields in more)]


_STARTED: Happening = (StepStarted, {"provider": "claude"})
_STORY: list[Happening] = [
    (PhaseStarted, {"title": "Review"}),
    *_step(
        1,
        "correctness",
        _STARTED,
        (
            StepFinished,
            {
                "provider": "claude",
                "model": "opus",
                "seconds": 12.3,
                "usage": Tokens(input_tokens=4100, cost=0.42),
            },
        ),
    ),
    *_step(
        2,
        "security",
        _STARTED,
        (StepProgressed, {"provider": "claude", "what": "tool", "text": "Read app.py"}),
    ),
    *_step(
        3,
        "performance",
        (StepReused, {"provider": "claude", "from_run": "20261120-090000-abcd", "age": 11000.0}),
    ),
    *_step(
        4,
        "style",
        _STARTED,
        (StepFailed, {"reason": "timeout", "message": "no answer in 60 s", "seconds": 60.0}),
    ),
    *_step(5, "wording", (StepFailed, {"reason": "unsupported", "message": "needs a model"})),
    *_step(
        6,
        "naming",
        _STARTED,
        (
            StepRetried,
            {"provider": "claude", "attempt": 1, "reason": "network", "message": "reset", "delay": 2.0},
        ),
    ),
    *_step(7, "last"),
    (Logged, {"message": "halfway", "fields": {"left": 3}}),
]


def test_a_run_at_80_columns() -> None:
    assert _lines(_view(*_STORY), 80, 24) == [
        "review-code  20261121-105457-3f9a",
        "Review  7 steps · 1 reused · 1 skipped · 1 failed · 2 running",
        "  ✓ correctness claude (opus)     12s   4.1k",
        "  ● security    claude         1m 20s       ",
        "      Read app.py",
        "  ↺ performance claude         reused from 20261120-090000-abcd (3h ago)",
        "  ✗ style       claude         1m 00s         timeout: no answer in 60 s",
        "  – wording     claude              –         unsupported: needs a model",
        "  ↻ naming      claude         1m 20s         network: reset",
        "  ○ last        claude              –       ",
        "Synthesise",
        "> halfway left=3",
        "4 of 7 steps · 1 failed · 2 running · 1m 20s · ≥4.1k tokens · ≥$0.42",
    ]


def test_a_reason_that_does_not_fit_stands_below_its_step() -> None:
    why = "no ready provider can do this step: builtin lacks text"
    view = _view(*_step(1, "report", _STARTED, (StepFailed, {"reason": "unsupported", "message": why})))

    assert _lines(view, 80, 24)[2:4] == [
        "  – report claude    0.0s       ",
        f"      unsupported: {why}",
    ]
    assert _lines(view, 200, 50)[2].endswith(why)
    assert len(_lines(view, 80, 5)) <= 5


def test_a_long_reason_is_read_to_its_end_where_there_is_room() -> None:
    why = "the step asks for 'write' access, the run allows 'read' (allow more with --access write)"
    failed = _step(1, "names", _STARTED, (StepFailed, {"reason": "refused", "message": why}))

    assert _lines(_view(*failed), 80, 24)[3:5] == [
        "      refused: the step asks for 'write' access, the run allows 'read' (allow",
        "      more with --access write)",
    ]
    assert _lines(_view(*failed), 80, 8)[3].endswith("(allow …")


def test_what_still_ran_when_its_run_died_does_so_no_longer() -> None:
    view = _view(*_step(1, "one", _STARTED))
    view.mark_interrupted()

    assert _lines(view, 80, 24)[1] == "Review  1 step · 1 interrupted"


def test_a_run_at_200_columns_shows_all_of_it() -> None:
    lines = _lines(_view(*_STORY), 200, 50)

    assert (
        lines[-1]
        == "4 of 7 steps · 1 reused · 1 skipped · 1 failed · 2 running · 1m 20s · ≥4.1k tokens · ≥$0.42"
    )


def test_ended_phases_become_one_line_when_space_is_short() -> None:
    done = [
        happening
        for number in range(1, 21)
        for happening in _step(
            number, f"item {number}", _STARTED, (StepFinished, {"provider": "a", "seconds": 1.0})
        )
    ]
    last = _step(21, "report", _STARTED, phase="Synthesise")

    assert _lines(_view(*done, *last), 80, 10) == [
        "review-code  20261121-105457-3f9a",
        "Review  20 steps",
        "Synthesise  1 step · 1 running",
        "  ● report claude  1m 20s       ",
        "20 of 21 steps · 1 running · 1m 20s · – tokens",
    ]


def test_a_thousand_open_steps_are_the_first_few_and_a_count() -> None:
    happenings = [one for number in range(1, 1001) for one in _step(number, f"item {number}", _STARTED)]
    lines = _lines(_view(*happenings), 80, 24)

    assert len(lines) == 24
    assert lines[0].startswith("review-code")
    assert "    … 981 more steps" in lines
    assert lines[-1].startswith("0 of 1,000 steps")


def test_a_failure_stays_visible_when_its_phase_is_folded() -> None:
    failed = _step(1, "bad", _STARTED, (StepFailed, {"reason": "auth", "message": "key refused"}))
    done = [
        one
        for number in range(2, 40)
        for one in _step(
            number, f"item {number}", _STARTED, (StepFinished, {"provider": "a", "seconds": 1.0})
        )
    ]

    assert any(
        "✗ bad" in line and "auth: key refused" in line for line in _lines(_view(*failed, *done), 80, 10)
    )


_hostile = some.text(some.characters(), max_size=60) | some.sampled_from(
    ["\x1b[2J", "[bold]x[/bold]", "a\nb", "\u202egnirts", "日本語" * 30, "\u200b\u200d", "\x9b31m"]
)


@settings(deadline=None)
@given(
    width=some.integers(10, 220),
    height=some.integers(3, 60),
    label=_hostile,
    message=_hostile,
    number=some.integers(0, 80),
)
def test_no_line_is_too_wide_no_frame_too_high_and_no_control_character_gets_through(
    width: int, height: int, label: str, message: str, number: int
) -> None:
    happenings = [
        (Logged, {"message": message}),
        *(
            one
            for n in range(1, number + 1)
            for one in _step(
                n, label, _STARTED, (StepProgressed, {"provider": "p", "what": "text", "text": message})
            )
        ),
    ]
    lines = _lines(_view(*happenings), width, height)

    assert len(lines) <= height
    assert all(cell_len(line) < width for line in lines)
    assert all(line.isprintable() for line in lines)


def test_markup_in_a_label_is_text() -> None:
    view = _view(*_step(1, "[red]boo[/red]", _STARTED))
    console = Console(record=True, width=80, force_terminal=True, file=io.StringIO())
    for line in Frame(view, 100.0, 80, 24, UNICODE).lines():
        console.print(line)

    assert "[red]boo[/red]" in console.export_text()


def test_terminals_without_unicode_get_letters() -> None:
    assert glyphs_for("utf-8") is UNICODE
    assert glyphs_for("latin-1") is ASCII
    assert glyphs_for(None) is ASCII


def _painted(events: list[Event], widths: list[int]) -> str:
    """What a terminal is sent when it has these widths, one after the other."""
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=widths[0], height=24, color_system=None)
    view = TerminalView(console, lambda: 180.0, RunView())
    with view:
        for event in events:
            view.apply(event)
        for width in widths:
            console.width = width
            view.paint()
    return output.getvalue()


def _events() -> list[Event]:
    return [
        RunStarted(seq=1, at=100.0, run_id="r", workflow="w" * 70),
        RunFinished(seq=2, at=101.0, status="done", seconds=1.0),
    ]


def test_the_cursor_is_shown_again_at_the_end() -> None:
    assert _painted(_events(), [80]).rstrip().endswith("\x1b[?25h")


def test_a_run_that_never_began_paints_nothing() -> None:
    assert _painted([], [80]) == ""


def test_after_the_terminal_narrowed_the_wrapped_rows_are_cleared_too() -> None:
    narrowed = _painted(_events(), [80, 30])
    steady = _painted(_events(), [80, 80])

    # At 30 columns the 72 cells of the old first line take three rows: two more than it was painted on.
    assert narrowed.count("\x1b[1A") == steady.count("\x1b[1A") + 2
