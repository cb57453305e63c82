"""The account of a run: for each of its steps whether it was reused or ran, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from engine.record.step_view import StepView
from workflows.why.history import History, Match
from workflows.why.past import PastRun, StepLine
from workflows.why.reason import Files, Reason, Sides, reason
from workflows.why.text_change import TextChange, text_change
from workflows.why.upstream import Upstreams

CompareFiles = Callable[[StepLine, StepLine], Files | None]
"""What became of the files that a step may read, from its earlier line to its line now."""


class Compared(NamedTuple):
    """The earlier step that one was compared with."""

    run_id: str
    step: int
    state: str
    at: float | None
    """When that run began, in seconds since the epoch."""


class Entry(NamedTuple):
    """One step of an account. `prompt` has how its prompt changed, where that was asked for."""

    step: StepView
    reason: Reason
    earlier: Compared | None = None
    prompt: TextChange | None = None


class Account(NamedTuple):
    """Why each step of a run ran. `complete` is False when the oldest runs were not searched."""

    run: PastRun
    entries: Sequence[Entry]
    complete: bool


def account(
    run: PastRun,
    history: History,
    compare_files: CompareFiles,
    *,
    numbers: Iterable[int] | None = None,
    with_prompts: bool = False,
) -> Account:
    """The account of the steps with these numbers, or of all."""
    asked = sorted(run.view.steps) if numbers is None else list(numbers)
    writer = _Writer(run, history, compare_files, with_prompts=with_prompts)
    entries = {
        number: writer.entry(number, match) for number, match in history.matches(filter(writer.ran, asked))
    }
    entries |= {number: writer.entry(number, None) for number in asked if number not in entries}
    return Account(run, [entries[number] for number in asked], history.complete)


class _Writer:
    def __init__(
        self, run: PastRun, history: History, compare_files: CompareFiles, *, with_prompts: bool
    ) -> None:
        self._run = run
        self._history = history
        self._compare_files = compare_files
        self._with_prompts = with_prompts
        self._upstreams = Upstreams(history, run)

    def ran(self, number: int) -> bool:
        """Whether there is something to explain."""
        step = self._run.step(number)
        return step.state != "reused" and bool(step.key)

    def entry(self, number: int, match: Match | None) -> Entry:
        step = self._run.step(number)
        if match is None:
            sides = Sides(step, self._run.line(number))
            return Entry(step, reason(sides, upstream=_nothing, files=_nothing))
        sides = self.sides(number, match)
        found = reason(
            sides,
            upstream=partial(self._upstreams.behind, number, match),
            files=partial(self._files, sides),
        )
        earlier = match.run.step(match.number)
        compared = Compared(match.run.run_id, match.number, earlier.state, match.run.view.started_at)
        return Entry(step, found, compared, self._prompt(sides))

    def sides(self, number: int, match: Match) -> Sides:
        return Sides(
            self._run.step(number),
            self._run.line(number),
            match.run.step(match.number),
            self._history.line(match.run, match.number),
        )

    def _files(self, sides: Sides) -> Files | None:
        if sides.old_line is None or sides.new_line is None:
            return None
        return self._compare_files(sides.old_line, sides.new_line)

    def _prompt(self, sides: Sides) -> TextChange | None:
        old, new = sides.old_line, sides.new_line
        if not self._with_prompts or old is None or new is None or old.prompt == new.prompt:
            return None
        return text_change(old.prompt, new.prompt)


def _nothing() -> None:
    return None
