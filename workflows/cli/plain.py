"""The plain view: one calm line for each event that is worth one, for pipes, logs and terminals without control."""

from __future__ import annotations

from collections.abc import Callable

from engine.record.events import (
    BudgetReached,
    Event,
    Logged,
    PhaseStarted,
    ProviderPaused,
    RunStarted,
    StepFailed,
    StepFinished,
    StepRetried,
    StepReused,
)
from engine.record.step_view import StepView
from engine.record.view import RunView
from engine.text import clean_line
from workflows.cli import phrases
from workflows.cli.figures import amount, duration

_LOGGED = (Logged, BudgetReached, ProviderPaused)
_STEPS = (StepFinished, StepReused, StepFailed, StepRetried)


class PlainView:
    """Says each line to `say` as it happens."""

    def __init__(self, say: Callable[[str], None], view: RunView) -> None:
        self._say = say
        self._view = view

    def apply(self, event: Event) -> None:
        """Take one event in, and say it if it is worth a line."""
        logged = len(self._view.log)
        self._view.apply(event)
        if isinstance(event, RunStarted):
            self._say(_started(self._view))
        elif isinstance(event, PhaseStarted):
            self._say(f"phase {clean_line(event.title)}")
        elif isinstance(event, _LOGGED):
            for line in self._view.log[logged:]:
                self._say(f"  {'warning' if line.level == 'warning' else 'log'}  {phrases.log_text(line)}")
        elif isinstance(event, _STEPS):
            step = self._view.steps.get(event.step)
            if step is not None:  # a journal that came from elsewhere may end one twice
                self._say(f"  {_ended(step)}")


def _started(view: RunView) -> str:
    resumed = f", resumes {clean_line(view.parent)}" if view.parent else ""
    return f"{clean_line(view.workflow)}  run {clean_line(view.run_id)}{resumed}"


def _ended(step: StepView) -> str:
    name = clean_line(step.label or f"step {step.number}")
    said = phrases.remark(step)
    match step.state:
        case "finished":
            figures = (
                f"{phrases.answered_by(step)}, {duration(step.seconds)}, {amount(step.usage.tokens)} tokens"
            )
            return f"finished  {name}  ({figures})"
        case "reused":
            return f"reused  {name}  ({said.removeprefix('reused ')})"
        case "cancelled":
            return f"cancelled  {name}"
        case _:
            return f"{step.state}  {name}  {said}"
