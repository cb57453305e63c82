"""The contract of a provider: one question in, one answer out, failures as `StepFailed` with a reason of ours.

Spawning, deadlines, retries, caching, schema checks and limits live above; an adapter only translates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from engine.step import Access, Answer


class Question(NamedTuple):
    """One attempt at a step, as one provider sees it. Times are in seconds."""

    prompt: str
    workspace: Path
    """The folder the agent works in; nothing outside it is a target."""
    schema: Mapping[str, Any] | bool | None = None
    model: str | None = None
    effort: str | None = None
    agent_type: str | None = None
    task: Mapping[str, Any] | None = None
    access: Access = "read"
    max_tool_calls: int | None = None
    timeout: float | None = None
    stall_timeout: float = 900.0
    raw: Path | None = None
    """Where an adapter may keep what its program printed, byte for byte."""


class Progress(NamedTuple):
    """What a provider says it is doing while it works."""

    what: Literal["text", "tool", "note"]
    text: str


Report = Callable[[Progress], None]


class Readiness(NamedTuple):
    """Whether a provider can be asked now; if not, `why` and the `hint` that mends it."""

    ready: bool
    why: str = ""
    hint: str = ""
    version: str | None = None
    remark: str = ""
    """What to know of one that is ready all the same."""


class Provider(Protocol):
    """Something that answers prompts."""

    name: str
    capabilities: frozenset[str]
    """What it can do, by name: `text`, `schema`, `tools`, `edit`, `web`, or a task's kind such as `task:review`."""
    note: str
    """What a reader must know of all its answers; empty for most."""

    def readiness(self) -> Readiness:
        """Whether it can be asked, found out without running anything slow."""
        ...

    async def ask(self, question: Question, report: Report) -> Answer:
        """Answer one question, or raise `StepFailed`. When cancelled, leave nothing behind."""
        ...


class ProviderContext(NamedTuple):
    """What a provider is built from: its name, its `[providers.NAME]` settings, and the places it may use."""

    name: str
    workspace: Path
    cache_folder: Path
    """Outside the workspace; an adapter may keep here what it can make again."""
    options: Mapping[str, Any] = MappingProxyType({})
    environment: Mapping[str, str] = MappingProxyType({})
    """Our own; a child gets only the part that `engine.process.child_environment` lets through."""


ProviderFactory = Callable[[ProviderContext], Provider]
