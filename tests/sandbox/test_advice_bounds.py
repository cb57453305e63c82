"""Advice on any text ends, and soon; what a worker sends of it is bounded; what is written down twice is the same."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import get_args

import pytest

from engine.errors import ScriptRefused
from engine.sandbox.advice import MOST, advise
from engine.sandbox.advice_options import CHOICES, NUMBERS
from engine.sandbox.api import AGENT_OPTIONS, script_api
from engine.sandbox.budget import Budget, Ledger
from engine.sandbox.host import Worker
from engine.sandbox.inbound import BadFrame, Loaded, read_frame
from engine.sandbox.outline import API
from engine.sandbox.problem import Problem
from engine.step import Access, Strategy
from tests.sandbox.play import META, TIGHT, body

FIRST = 4
"""The line on which the body of main begins."""


def in_main(lines: str) -> list[Problem]:
    return advise(body(lines).replace(META, META.replace("}", ', "phases": [{"title": "Ask"}]}')))


def test_a_text_that_cannot_be_parsed_has_no_warnings() -> None:
    assert advise("def f(:") == []


def test_of_one_kind_only_so_many_are_told() -> None:
    found = in_main("\n".join(f"log(unknown_{number})" for number in range(MOST + 50)))
    assert [warning.line for warning in found] == list(range(FIRST, FIRST + MOST))


@pytest.mark.parametrize(
    "lines",
    [
        "; ".join(f"log(unknown{number})" for number in range(6_000)),
        "\n".join(f'phase("a phase like number {number}")' for number in range(4_000)),
        "\n".join(["await parallel([work])"] * 4_000) + "\nasync def work():\n" + "    phase('x')\n" * 2_000,
        "x = [" + ", ".join(["lambda: a"] * 8_000) + "]",
        "x = " + "not " * 60 + 'agent("x")',
    ],
)
def test_a_script_made_to_take_long_does_not(lines: str) -> None:
    """Where something is looked for anew at every place these take minutes, and the suite's limit ends the test."""
    assert 0 < len(in_main(lines)) <= MOST


def test_any_python_at_all_can_be_looked_at() -> None:
    """The standard library has every kind of syntax; the advice finds something in it and never raises."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:30]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
    found = [warning for text in texts for warning in advise(text.replace("return ", "agent(1); return "))]
    assert found
    assert all(warning.hint and warning.message for warning in found)


# From the worker to the host


@pytest.mark.anyio
async def test_a_worker_advises_only_when_it_was_asked_to() -> None:
    source = body('agent("x")').encode()
    for asked in (True, False):
        worker = Worker.spawn(TIGHT, advise=asked)
        try:
            assert (await worker.load("t", source))["name"] == "test"
            assert [each.line for each in worker.warnings] == ([FIRST] if asked else [])
        finally:
            worker.kill()


@pytest.mark.anyio
async def test_a_refused_script_has_its_warnings_beside_its_problems() -> None:
    worker = Worker.spawn(TIGHT, advise=True)
    with pytest.raises(ScriptRefused) as refused:
        await worker.load("t", body('agent("x", open)').encode())
    assert [each.message for each in refused.value.problems] == ["open is not available in workflow scripts"]
    assert [each.message for each in refused.value.warnings] == [
        "agent() is never awaited, so it does nothing"
    ]


def loaded(*sent: object) -> bytes:
    meta = {"name": "x", "description": "d"}
    return json.dumps({"kind": "loaded", "meta": meta, "warnings": list(sent)}).encode()


SENT = {"line": 1, "column": 2, "message": "m", "hint": None, "source": "x", "skipped": 0}


def test_warnings_are_bounded_and_cleaned_at_the_door() -> None:
    dirty = {**SENT, "message": "\x1b[2Jm\nn", "hint": "\u202eh", "source": "\t\x1b[2J" + "x" * 9_000}
    frame = read_frame(loaded(*[dirty] * 500))
    assert isinstance(frame, Loaded)
    assert len(frame.warnings) == 100
    assert (frame.warnings[0].message, frame.warnings[0].hint) == ("m n", "h")
    assert frame.warnings[0].source == "  [2J" + "x" * 495


@pytest.mark.parametrize(
    "wrong", [{"line": -1}, {"line": "1"}, {"message": 1}, {"skipped": None}, {"source": []}]
)
def test_a_warning_that_no_honest_worker_sends_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadFrame):
        read_frame(loaded({**SENT, **wrong}))


# What is written down twice is the same


def test_the_names_are_those_of_the_api() -> None:
    ledger = Ledger(None, None, current=lambda: 0, switch=lambda scope: None, note=lambda arguments: None)
    given = script_api(lambda name, arguments: None, Budget(ledger), 1_000)
    assert given.keys() | {"args"} == API


def test_the_choices_are_those_of_a_step() -> None:
    assert CHOICES["access"] == get_args(Access)
    assert CHOICES["strategy"] == get_args(Strategy)
    assert CHOICES.keys() | NUMBERS.keys() <= set(AGENT_OPTIONS)
