"""What can happen in a run: one frozen union, tagged by `kind`, named in the past tense.

Every queued step ends exactly once, in StepReused, StepFinished or StepFailed; nothing follows RunFinished.
Times are seconds since the epoch (`at`) or plain seconds (everything called `seconds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from engine.step import NO_USAGE, Patch, Usage

JOURNAL_VERSION = 1
"""Grows when an older mco would read a journal wrongly. A new kind of event, or a new field, leaves it as it is."""

Answers = Literal["providers", "stubs", "cassette"]
Status = Literal["done", "partial", "failed", "refused", "ceiling", "no_provider", "cancelled", "interrupted"]
"""How a run ended; `interrupted` is written by the run that takes up one whose mco was killed."""


class Tokens(BaseModel):
    """Usage as the record keeps it; what nobody reported is None, never 0. `cost` is in US dollars."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True, allow_inf_nan=False)

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None

    @classmethod
    def of(cls, usage: Usage) -> Tokens:
        """What an answer cost, as the record keeps it."""
        if usage == NO_USAGE:
            return _UNKNOWN
        return cls.model_construct(
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            cost=usage.cost,
        )

    def as_usage(self) -> Usage:
        """The way back."""
        said = (self.input_tokens, self.cached_tokens, self.output_tokens, self.reasoning_tokens, self.cost)
        # As mostly where nobody asks for money: making another one takes longer than to look.
        if said == _NOTHING:
            return NO_USAGE
        return Usage(
            input_tokens=self.input_tokens,
            cached_tokens=self.cached_tokens,
            output_tokens=self.output_tokens,
            reasoning_tokens=self.reasoning_tokens,
            cost=self.cost,
        )


_UNKNOWN = Tokens()
_NOTHING = (None,) * 5


class Changes(BaseModel):
    """What a step's patches come to: how many there are, the files, and the lines that could be counted."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    patches: int
    files: int
    added: int
    removed: int

    @classmethod
    def of(cls, patches: Sequence[Patch]) -> Changes | None:
        """The changes of an answer, None without any."""
        if not patches:
            return None
        files = [file for patch in patches for file in patch.files]
        return cls(
            patches=len(patches),
            files=len(files),
            added=sum(file.added or 0 for file in files),
            removed=sum(file.removed or 0 for file in files),
        )


class Happening(BaseModel):
    """What all events have: `seq` grows by one, `at` is when."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True, allow_inf_nan=False)

    seq: int
    at: float


class RunStarted(Happening):
    """A run began."""

    kind: Literal["RunStarted"] = "RunStarted"
    journal_version: int = JOURNAL_VERSION
    run_id: str
    workflow: str
    description: str = ""
    script_hash: str = ""
    """SHA-256 of the script's bytes, hex."""
    args: Any = None
    phases: list[str] = []
    """The titles that the script's `meta` announced."""
    mco_version: str = ""
    workspace: str = ""
    parent: str | None = None
    """The run that this one resumes."""
    answers: Answers = "providers"
    """Where its answers come from: a dry run has stubs, and nobody was asked for those of a cassette."""


class PhaseStarted(Happening):
    """The script entered a phase."""

    kind: Literal["PhaseStarted"] = "PhaseStarted"
    title: str


class Logged(Happening):
    """A line for people, from the script or (`source="mco"`) from mco itself."""

    kind: Literal["Logged"] = "Logged"
    message: str
    fields: dict[str, Any] = {}
    source: Literal["script", "mco"] = "script"
    level: Literal["info", "warning"] = "info"


class StepQueued(Happening):
    """The script asked for a step; `step` counts from 1."""

    kind: Literal["StepQueued"] = "StepQueued"
    step: int
    label: str
    phase: str = ""
    prompt: str = ""
    """Its beginning; the whole prompt is in `steps.jsonl`."""
    key: str
    """Hex SHA-256, see `engine.step.Key`."""
    occurrence: int = 1
    providers: list[str] = []
    in_place: Literal["ask", "rerun", "skip", "halt"] | None = None
    """For a step that may change the workspace's own files: what becomes of it when its run is killed meanwhile."""


class StepStarted(Happening):
    """An attempt at a step began at one provider; `attempt` counts from 1."""

    kind: Literal["StepStarted"] = "StepStarted"
    step: int
    provider: str
    attempt: int = 1


class StepProgressed(Happening):
    """A provider said what it is doing. Thinned: all tool calls, text a few times a second."""

    kind: Literal["StepProgressed"] = "StepProgressed"
    step: int
    provider: str
    what: Literal["text", "tool", "note"]
    text: str


class StepRetried(Happening):
    """An attempt failed with what can heal; the next begins after `delay` seconds."""

    kind: Literal["StepRetried"] = "StepRetried"
    step: int
    provider: str
    attempt: int
    reason: str
    message: str = ""
    delay: float


class StepReused(Happening):
    """The answer was already there; nothing was spent. `saved` is what it cost when it was made."""

    kind: Literal["StepReused"] = "StepReused"
    step: int
    provider: str
    model: str | None = None
    from_run: str
    age: float
    """Seconds since the answer was made."""
    saved: Tokens = Tokens()
    saved_seconds: float | None = None
    """How long it took to make."""
    answer: str = ""
    note: str = ""
    """As in StepFinished: what held for the answer when it was made holds still."""
    patch: Changes | None = None
    """As in StepFinished: it is offered again."""


class StepFinished(Happening):
    """A step has its answer; `answer` is its beginning, the whole of it is in `steps.jsonl`."""

    kind: Literal["StepFinished"] = "StepFinished"
    step: int
    provider: str
    model: str | None = None
    seconds: float
    usage: Tokens = Tokens()
    answer: str = ""
    session_id: str | None = None
    note: str = ""
    """What a reader must know of this answer, such as that no model was used."""
    patch: Changes | None = None
    """What was changed in worktrees and waits in `patches/` for somebody to apply it."""


class StepFailed(Happening):
    """A step has no answer; `reason` is one of `engine.errors.REASONS`, or `budget` or `limit`."""

    kind: Literal["StepFailed"] = "StepFailed"
    step: int
    reason: str
    message: str
    provider: str | None = None
    seconds: float = 0.0
    usage: Tokens = Tokens()


class BudgetReached(Happening):
    """A ceiling was reached: `scope` is `run` or `block`, `unit` is `tokens`, `cost`, `steps` or `log_lines`."""

    kind: Literal["BudgetReached"] = "BudgetReached"
    scope: Literal["run", "block"]
    unit: Literal["tokens", "cost", "steps", "log_lines"]
    limit: float
    spent: float


class ProviderPaused(Happening):
    """A provider takes no steps for `seconds`, and why."""

    kind: Literal["ProviderPaused"] = "ProviderPaused"
    provider: str
    reason: str
    seconds: float


class RunFinished(Happening):
    """The run ended, whatever happened; always the last line."""

    kind: Literal["RunFinished"] = "RunFinished"
    status: Status
    error: str | None = None
    hint: str | None = None
    seconds: float
    usage: Tokens = Tokens()


Event = (
    RunStarted
    | PhaseStarted
    | Logged
    | StepQueued
    | StepStarted
    | StepProgressed
    | StepRetried
    | StepReused
    | StepFinished
    | StepFailed
    | BudgetReached
    | ProviderPaused
    | RunFinished
)


@cache
def _reader() -> TypeAdapter[Event]:
    return TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def read_event(line: str | bytes) -> Event:
    """One line of a journal or of `--stream jsonl` as an event; ValueError when it is none."""
    return _reader().validate_json(line)
