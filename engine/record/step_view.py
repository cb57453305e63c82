"""One step as the view of a run shows it, and how many of them are in each state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from engine.record.events import Changes
from engine.step import NO_USAGE, Usage

StepState = Literal["queued", "running", "retrying", "finished", "reused", "failed", "skipped", "cancelled"]
STEP_STATES: tuple[StepState, ...] = get_args(StepState)
ENDED: frozenset[StepState] = frozenset({"finished", "reused", "failed", "skipped", "cancelled"})


@dataclass(slots=True)
class StepView:
    """One step as it stands. Times are seconds since the epoch (`…_at`) or plain seconds."""

    number: int
    label: str = ""
    phase: str = ""
    prompt: str = ""
    key: str = ""
    occurrence: int = 1
    providers: tuple[str, ...] = ()
    state: StepState = "queued"
    provider: str | None = None
    model: str | None = None
    attempt: int = 0
    started_at: float | None = None
    seconds: float | None = None
    usage: Usage = NO_USAGE
    progress: str = ""
    reason: str = ""
    message: str = ""
    answer: str = ""
    note: str = ""
    from_run: str | None = None
    age: float | None = None
    changes: Changes | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen to it."""
        return self.state in ENDED


@dataclass(slots=True)
class Counts:
    """How many steps are in each state."""

    queued: int = 0
    running: int = 0
    retrying: int = 0
    finished: int = 0
    reused: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0

    def move(self, old: StepState, new: StepState) -> None:
        """A step went from one state to another."""
        setattr(self, old, getattr(self, old) - 1)
        setattr(self, new, getattr(self, new) + 1)

    @property
    def ended(self) -> int:
        """Those to which nothing more can happen."""
        return self.finished + self.reused + self.failed + self.skipped + self.cancelled

    @property
    def total(self) -> int:
        """All that were queued so far."""
        return self.ended + self.queued + self.running + self.retrying

    def as_dict(self) -> dict[str, int]:
        """The number of steps by state."""
        return {state: getattr(self, state) for state in STEP_STATES}
