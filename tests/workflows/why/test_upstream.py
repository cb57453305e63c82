"""An upstream answer is named on proof only, and looking for it ends."""

from __future__ import annotations

from typing import cast

import pytest

from engine.record.step_view import StepView
from workflows.why.history import History, Match
from workflows.why.past import Name, PastRun, StepLine
from workflows.why.upstream import Upstreams


class Run:
    """As much of a past run as is looked at: an answer, and the prompt that follows it."""

    def __init__(self, run_id: str, answer: object, prompt: str) -> None:
        self.run_id = run_id
        self.labels = {1: Name("first", 1), 2: Name("second", 1)}
        self.by_label = {name: number for number, name in self.labels.items()}
        self.lines = {1: StepLine(step=1, answer=answer), 2: StepLine(step=2, prompt=prompt)}

    def step(self, number: int) -> StepView:
        return StepView(number, state="finished")


class Lines:
    """The history of these runs: each has its own lines."""

    def __init__(self) -> None:
        self.read = 0

    def line(self, run: Run, number: int) -> StepLine:
        self.read += 1
        return run.lines[number]


def behind(new: Run, old: Run, lines: Lines | None = None, most_work: int = 10_000_000) -> str | None:
    history, run = cast("History", lines or Lines()), cast("PastRun", new)
    found = Upstreams(history, run, most_work=most_work).behind(2, Match(cast("PastRun", old), 2))
    return found.label if found is not None else None


@pytest.mark.parametrize(
    ("old_answer", "new_answer", "template"),
    [
        ("blue sky", "red sky", "Use: {}"),
        ({"a": [1]}, {"a": [2]}, "Use: {}"),
        ("it's", 'it"s', "Use: {}"),
    ],
)
def test_an_answer_that_stands_in_both_prompts_is_named(
    old_answer: object, new_answer: object, template: str
) -> None:
    new = Run("new", new_answer, template.format(new_answer))
    old = Run("old", old_answer, template.format(old_answer))

    assert behind(new, old) == "first"


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (Run("new", "same", "Use: same, anew"), Run("old", "same", "Use: same")),
        (Run("new", "red sky", "Use: red sky"), Run("old", "blue sky", "Use nothing")),
        (Run("new", "red sky", "Use: red"), Run("old", "blue sky", "Use: blue sky")),
        (Run("new", "b", "Use: b"), Run("old", "a", "Use: a")),
    ],
    ids=["the same answer", "not in the old prompt", "not in the new prompt", "too short to prove anything"],
)
def test_without_proof_nobody_is_named(new: Run, old: Run) -> None:
    assert behind(new, old) is None


def test_when_the_work_is_used_up_nothing_more_is_read() -> None:
    lines = Lines()

    assert behind(Run("new", "red sky", "red sky"), Run("old", "blue sky", "blue sky"), lines, 0) is None
    assert lines.read == 2
