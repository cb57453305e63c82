"""The view is a pure fold: wherever its events come from, and however little sense they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from engine.record.events import (
    BudgetReached,
    Event,
    Logged,
    PhaseStarted,
    ProviderPaused,
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
    read_event,
)
from engine.record.journal import Journal, read_journal
from engine.record.step_view import STEP_STATES
from engine.record.stream import Stream
from engine.record.view import RunView, fold
from engine.step import Usage

_words = some.text("abc é\n\u202e", max_size=4)
_steps = some.integers(1, 4)
_tokens = some.builds(
    Tokens,
    input_tokens=some.none() | some.integers(0, 9),
    output_tokens=some.none() | some.integers(0, 9),
    cost=some.none() | some.sampled_from([0.0, 0.25, 1.5]),
)
_seconds = some.sampled_from([0.0, 0.5, 61.0])


def _an(kind: type[Any], **fields: Any) -> Any:
    return some.tuples(some.just(kind), some.fixed_dictionaries(fields))


_happenings = some.one_of(
    _an(RunStarted, run_id=_words, workflow=_words, phases=some.lists(_words, max_size=2)),
    _an(PhaseStarted, title=_words),
    _an(Logged, message=_words, fields=some.dictionaries(_words, some.integers())),
    _an(StepQueued, step=_steps, label=_words, phase=_words, key=some.just("k")),
    _an(StepStarted, step=_steps, provider=some.sampled_from(["fake", "claude"])),
    _an(StepProgressed, step=_steps, provider=some.just("fake"), what=some.just("tool"), text=_words),
    _an(
        StepRetried,
        step=_steps,
        provider=some.just("fake"),
        attempt=some.just(1),
        reason=_words,
        delay=_seconds,
    ),
    _an(StepReused, step=_steps, provider=some.just("fake"), from_run=_words, age=_seconds, saved=_tokens),
    _an(StepFinished, step=_steps, provider=some.just("fake"), seconds=_seconds, usage=_tokens),
    _an(
        StepFailed,
        step=_steps,
        reason=some.sampled_from(["timeout", "unsupported", "budget"]),
        message=_words,
        usage=_tokens,
    ),
    _an(
        BudgetReached,
        scope=some.just("run"),
        unit=some.sampled_from(["tokens", "cost"]),
        limit=_seconds,
        spent=_seconds,
    ),
    _an(ProviderPaused, provider=some.just("claude"), reason=some.just("quota"), seconds=_seconds),
    _an(RunFinished, status=some.sampled_from(["done", "failed"]), seconds=_seconds, usage=_tokens),
)


def _stamped(happenings: list[tuple[type[Any], dict[str, Any]]]) -> list[Event]:
    return [kind(seq=n, at=float(n), **fields) for n, (kind, fields) in enumerate(happenings, 1)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(happenings=some.lists(_happenings, max_size=30))
def test_folding_the_live_stream_and_folding_the_journal_give_the_same_view(
    tmp_path: Path, happenings: list[tuple[type[Any], dict[str, Any]]]
) -> None:
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    live = RunView()
    stream = Stream(journal, iter(range(1_000)).__next__)
    stream.subscribe(live.apply)
    for kind, fields in happenings:
        stream.emit(kind, **fields)
    journal.close()

    assert fold(read_journal(path)) == live


@settings(deadline=None)
@given(events=some.lists(_happenings, max_size=30).map(_stamped))
def test_every_step_is_counted_in_exactly_one_state(events: list[Event]) -> None:
    view = fold(events)

    by_state = {state: getattr(view.counts, state) for state in STEP_STATES}
    seen = [step.state for step in view.steps.values()]
    assert by_state == {state: seen.count(state) for state in STEP_STATES}
    assert sorted(n for phase in view.phases.values() for n in phase.steps) == sorted(view.steps)
    for phase in view.phases.values():
        assert phase.counts.total == len(phase.steps)


@settings(deadline=None)
@given(events=some.lists(_happenings, max_size=20).map(_stamped), data=some.data())
def test_events_said_twice_or_late_change_nothing(events: list[Event], data: some.DataObject) -> None:
    repeats = data.draw(some.lists(some.sampled_from(events), max_size=5)) if events else []

    view = fold(events)
    for event in repeats:
        view.apply(event)

    assert view == fold(events)


@settings(deadline=None)
@given(shuffled=some.lists(_happenings, max_size=20).map(_stamped).flatmap(some.permutations))
def test_any_order_of_events_is_taken_without_a_complaint(shuffled: list[Event]) -> None:
    view = fold(shuffled)

    assert view.counts.total == len(view.steps)


@settings(deadline=None)
@given(events=some.lists(_happenings, min_size=1, max_size=20).map(_stamped))
def test_nothing_follows_the_end_of_a_run(events: list[Event]) -> None:
    end = RunFinished(seq=1_000, at=1_000.0, status="done", seconds=1.0)
    late = [event.model_copy(update={"seq": 2_000 + event.seq}) for event in events]

    view = fold([*events, end])
    for event in late:
        view.apply(event)

    assert view == fold([*events, end])


def _view(*happenings: tuple[type[Any], dict[str, Any]]) -> RunView:
    return fold(_stamped(list(happenings)))


def test_a_step_goes_from_queued_through_a_retry_to_finished() -> None:
    start = (StepQueued, {"step": 1, "label": "a", "key": "k", "phase": "Review"})
    run = (StepStarted, {"step": 1, "provider": "claude"})
    retry = (
        StepRetried,
        {"step": 1, "provider": "claude", "attempt": 1, "reason": "network", "delay": 2.0},
    )
    again = (StepStarted, {"step": 1, "provider": "claude", "attempt": 2})
    end = (
        StepFinished,
        {"step": 1, "provider": "claude", "model": "m", "seconds": 3.0, "usage": Tokens(output_tokens=7)},
    )
    story = [start, run, retry, again, end]

    states = [_view(*story[: n + 1]).steps[1].state for n in range(len(story))]
    step = _view(*story).steps[1]

    assert states == ["queued", "running", "retrying", "running", "finished"]
    assert (step.model, step.attempt, step.seconds, step.usage.tokens) == ("m", 2, 3.0, 7)
    assert step.reason == ""


def test_an_unsupported_step_is_skipped_and_not_failed() -> None:
    view = _view(
        (StepQueued, {"step": 1, "label": "a", "key": "k"}),
        (StepFailed, {"step": 1, "reason": "unsupported", "message": "no model"}),
    )

    assert view.steps[1].state == "skipped"
    assert (view.counts.skipped, view.counts.failed) == (1, 0)


def test_usage_that_nobody_reported_stays_unknown() -> None:
    view = _view(
        (StepStarted, {"step": 1, "provider": "builtin"}),
        (StepFinished, {"step": 1, "provider": "builtin", "seconds": 1.0}),
    )

    assert view.usage == Usage()
    assert view.usage.tokens is None
    assert view.unmeasured == 1


def test_what_one_step_reported_is_not_hidden_by_one_that_did_not() -> None:
    view = _view(
        (StepStarted, {"step": 1, "provider": "a"}),
        (StepFinished, {"step": 1, "provider": "a", "seconds": 1.0, "usage": Tokens(input_tokens=5)}),
        (StepStarted, {"step": 2, "provider": "b"}),
        (StepFinished, {"step": 2, "provider": "b", "seconds": 1.0}),
    )

    assert (view.usage.tokens, view.unmeasured) == (5, 1)


def test_a_reused_step_is_not_spent_again_but_says_what_it_saved() -> None:
    view = _view(
        (StepQueued, {"step": 1, "label": "a", "key": "k"}),
        (
            StepReused,
            {"step": 1, "provider": "a", "from_run": "r", "age": 60.0, "saved": Tokens(input_tokens=9)},
        ),
    )

    assert view.usage.tokens is None
    assert view.saved.tokens == 9
    assert (view.steps[1].from_run, view.steps[1].age) == ("r", 60.0)


def test_phases_stand_in_the_order_that_meta_announced_and_take_their_steps() -> None:
    view = _view(
        (RunStarted, {"run_id": "r", "workflow": "w", "phases": ["One", "Two"]}),
        (PhaseStarted, {"title": "Two"}),
        (StepQueued, {"step": 1, "label": "a", "key": "k"}),
        (StepQueued, {"step": 2, "label": "b", "key": "k", "phase": "Extra"}),
    )

    assert {title: phase.steps for title, phase in view.phases.items()} == {
        "One": [],
        "Two": [1],
        "Extra": [2],
    }
    assert view.phases["One"].started_at is None


def test_a_run_whose_driver_died_is_interrupted_until_proven_otherwise() -> None:
    view = _view((RunStarted, {"run_id": "r", "workflow": "w"}))
    view.mark_interrupted()
    assert view.status == "interrupted"

    ended = _view((RunFinished, {"status": "done", "seconds": 1.0}))
    ended.mark_interrupted()
    assert ended.status == "done"


def test_an_event_read_back_from_its_line_is_equal() -> None:
    event = StepFinished(seq=1, at=1.5, step=1, provider="a", seconds=0.1, usage=Tokens(cost=0.25))

    assert read_event(event.model_dump_json()) == event
