"""The view of a run: everything that is shown of it, folded from its events and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from engine.record.events import (
    Answers,
    BudgetReached,
    Changes,
    Event,
    Logged,
    PhaseStarted,
    ProviderPaused,
    RunFinished,
    RunStarted,
    Status,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepQueued,
    StepRetried,
    StepReused,
    StepStarted,
    Tokens,
)
from engine.record.step_view import Counts, StepState, StepView
from engine.step import NO_USAGE, Usage

_METHODS = {
    kind.__name__: "_" + re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).lower() for kind in get_args(Event)
}
"""The method of the view that folds an event: StepQueued is folded by `_step_queued`."""


_FAILURES: Mapping[str, StepState] = {"unsupported": "skipped", "cancelled": "cancelled"}
"""Reasons that are no fault of the step."""


@dataclass(slots=True)
class PhaseView:
    """A phase and the numbers of its steps, in the order they were queued."""

    title: str
    started_at: float | None = None
    steps: list[int] = field(default_factory=list[int])
    counts: Counts = field(default_factory=Counts)
    open: dict[int, None] = field(default_factory=dict[int, None])
    """Those that have not ended, in order: found without looking at all of them."""
    lost: list[int] = field(default_factory=list[int])
    """Those that failed or were skipped, in the order in which that happened."""


class LogLine(NamedTuple):
    """One line for people."""

    at: float
    message: str
    fields: dict[str, Any]
    source: Literal["script", "mco"]
    level: Literal["info", "warning"]


@dataclass
class RunView:
    """A run as it stands after the events applied so far. Each event costs the same, however long the run is.

    Events that cannot be (for an ended step, out of order, said twice) change nothing.
    """

    run_id: str = ""
    workflow: str = ""
    description: str = ""
    args: Any = None
    parent: str | None = None
    answers: Answers = "providers"
    """Where its answers came from."""
    started_at: float | None = None
    seen_at: float | None = None
    """When the last event happened."""
    status: Status | Literal["waiting", "running", "interrupted"] = "waiting"
    error: str | None = None
    hint: str | None = None
    seconds: float | None = None
    usage: Usage = field(default_factory=Usage)
    saved: Usage = field(default_factory=Usage)
    """What the reused answers cost when they were made."""
    saved_seconds: float | None = None
    """How long those took to make, as far as it is known."""
    saved_unmeasured: int = 0
    """Reused answers of which nobody knows the tokens."""
    unmeasured: int = 0
    """Steps that ran and whose tokens nobody reported."""
    phases: dict[str, PhaseView] = field(default_factory=dict[str, PhaseView])
    steps: dict[int, StepView] = field(default_factory=dict[int, StepView])
    counts: Counts = field(default_factory=Counts)
    log: list[LogLine] = field(default_factory=list[LogLine])
    notes: dict[str, str] = field(default_factory=dict[str, str])
    """What a reader must know of a provider's answers, by provider."""
    patches: int = 0
    """How many patches its steps have made, or offer again."""
    phase: str = ""
    """The title of the phase that the script entered last."""
    seq: int = 0

    @property
    def finished(self) -> bool:
        """Whether the run ended and said so."""
        return self.status not in ("waiting", "running", "interrupted")

    def apply(self, event: Event) -> None:
        """Fold one event in."""
        if self.finished or event.seq <= self.seq:
            return
        self.seq = event.seq
        self.seen_at = event.at
        self._fold(event)

    def mark_interrupted(self) -> None:
        """Say that the driving process died without a word: nobody will write another event."""
        if not self.finished:
            self.status = "interrupted"

    def _fold(self, event: Event) -> None:
        method = getattr(self, _METHODS[event.kind])
        method(event)

    def _run_started(self, event: RunStarted) -> None:
        self.run_id, self.workflow, self.description = event.run_id, event.workflow, event.description
        self.args, self.parent, self.answers = event.args, event.parent, event.answers
        self.started_at = event.at
        self.status = "running"
        for title in event.phases:
            self._phase(title)

    def _phase_started(self, event: PhaseStarted) -> None:
        self.phase = event.title
        self._enter(event.title, event.at)

    def _logged(self, event: Logged) -> None:
        self.log.append(LogLine(event.at, event.message, event.fields, event.source, event.level))

    def _budget_reached(self, event: BudgetReached) -> None:
        amount = f"${event.limit:.2f}" if event.unit == "cost" else f"{event.limit:,.0f}"
        unit = "" if event.unit == "cost" else f" {event.unit.replace('_', ' ')}"
        self._warn(event.at, f"the ceiling of {amount}{unit} for this {event.scope} was reached")

    def _provider_paused(self, event: ProviderPaused) -> None:
        self._warn(event.at, f"{event.provider} pauses for {event.seconds:.0f} s: {event.reason}")

    def _step_queued(self, event: StepQueued) -> None:
        if event.step in self.steps:
            return
        step = self._step(event.step, event.phase or self.phase, event.at)
        step.label, step.prompt, step.key = event.label, event.prompt, event.key
        step.occurrence, step.providers = event.occurrence, tuple(event.providers)

    def _step_started(self, event: StepStarted) -> None:
        step = self._open(event.step, event.at)
        if step is None:
            return
        self._move(step, "running")
        step.provider, step.attempt, step.progress = event.provider, event.attempt, ""
        if step.started_at is None:
            step.started_at = event.at

    def _step_progressed(self, event: StepProgressed) -> None:
        step = self._open(event.step, event.at)
        if step is not None:
            step.progress = event.text

    def _step_retried(self, event: StepRetried) -> None:
        step = self._open(event.step, event.at)
        if step is None:
            return
        self._move(step, "retrying")
        step.provider, step.attempt = event.provider, event.attempt
        step.reason, step.message, step.progress = event.reason, event.message, ""

    def _step_reused(self, event: StepReused) -> None:
        step = self._open(event.step, event.at)
        if step is None:
            return
        self._move(step, "reused")
        step.provider, step.model, step.answer = event.provider, event.model, event.answer
        step.from_run, step.age = event.from_run, event.age
        self._changed(step, event.patch)
        self._note(step, event.provider, event.note)
        saved = event.saved.as_usage()
        if saved != NO_USAGE:
            self.saved += saved
        self.saved_unmeasured += saved.tokens is None
        if event.saved_seconds is not None:
            self.saved_seconds = (self.saved_seconds or 0.0) + event.saved_seconds

    def _step_finished(self, event: StepFinished) -> None:
        step = self._open(event.step, event.at)
        if step is None:
            return
        self._move(step, "finished")
        step.provider, step.model, step.answer = event.provider, event.model, event.answer
        step.reason, step.message = "", ""
        self._note(step, event.provider, event.note)
        self._spend(step, event.seconds, event.usage)
        self._changed(step, event.patch)

    def _step_failed(self, event: StepFailed) -> None:
        step = self._open(event.step, event.at)
        if step is None:
            return
        self._move(step, _FAILURES.get(event.reason, "failed"))
        step.provider = event.provider or step.provider
        step.reason, step.message = event.reason, event.message
        self._spend(step, event.seconds, event.usage)

    def _run_finished(self, event: RunFinished) -> None:
        self.status, self.error, self.hint = event.status, event.error, event.hint
        self.seconds = event.seconds
        if event.usage != Tokens():
            self.usage = event.usage.as_usage()

    def _phase(self, title: str) -> PhaseView:
        phase = self.phases.get(title)
        if phase is None:
            phase = self.phases[title] = PhaseView(title)
        return phase

    def _enter(self, title: str, at: float) -> PhaseView:
        phase = self._phase(title)
        if phase.started_at is None:
            phase.started_at = at
        return phase

    def _step(self, number: int, phase: str, at: float) -> StepView:
        step = self.steps[number] = StepView(number, phase=phase)
        place = self._enter(phase, at)
        place.steps.append(number)
        place.open[number] = None
        place.counts.queued += 1
        self.counts.queued += 1
        return step

    def _open(self, number: int, at: float) -> StepView | None:
        """The step that an event is about, unless it has ended; one that was never queued is made up here."""
        step = self.steps.get(number) or self._step(number, self.phase, at)
        return None if step.ended else step

    def _move(self, step: StepView, state: StepState) -> None:
        phase = self.phases[step.phase]
        phase.counts.move(step.state, state)
        self.counts.move(step.state, state)
        step.state = state
        if step.ended:
            step.progress = ""
            phase.open.pop(step.number)
        if state in ("failed", "skipped"):
            phase.lost.append(step.number)

    def _spend(self, step: StepView, seconds: float, tokens: Tokens) -> None:
        step.seconds, step.usage = seconds, tokens.as_usage()
        if step.usage != NO_USAGE:
            self.usage += step.usage
        if step.usage.tokens is None and step.started_at is not None:
            self.unmeasured += 1

    def _note(self, step: StepView, provider: str, note: str) -> None:
        step.note = note
        if note:
            self.notes[provider] = note

    def _changed(self, step: StepView, changes: Changes | None) -> None:
        step.changes = changes
        self.patches += changes.patches if changes is not None else 0

    def _warn(self, at: float, message: str) -> None:
        self.log.append(LogLine(at, message, {}, "mco", "warning"))


def fold(events: Iterable[Event]) -> RunView:
    """The view after all of these events."""
    view = RunView()
    for event in events:
        view.apply(event)
    return view
