"""The plain lines of a run: one for what happened, none for what cannot have."""

from __future__ import annotations

from engine.record.events import StepFinished, StepQueued
from engine.record.view import RunView
from workflows.cli.plain import PlainView


def test_a_journal_that_says_a_thing_twice_is_told_all_the_same() -> None:
    said: list[str] = []
    plain = PlainView(said.append, RunView())
    plain.apply(StepQueued(seq=1, at=1.0, step=1, label="one", prompt="p", key="k"))
    plain.apply(StepFinished(seq=1, at=1.0, step=2, provider="fake", seconds=1.0, answer="a"))
    plain.apply(StepFinished(seq=2, at=2.0, step=1, provider="fake", seconds=1.0, answer="a"))

    assert [line.split()[:2] for line in said] == [["finished", "one"]]
