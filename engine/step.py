"""A step (what is asked), its key, and an answer: the words that every wing of the engine shares."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from engine.errors import Reason, StepFailed

Number = TypeVar("Number", int, float)

KEY_VERSION = 1

Access = Literal["read", "write", "full"]
OnResume = Literal["rerun", "skip", "halt"]
"""What becomes of a step that was changing the workspace's own files when its run was killed."""
Strategy = Literal["all", "race", "failover", "agree"]
ACCESS_ORDER: tuple[Access, ...] = ("read", "write", "full")
COMBINING: frozenset[Strategy] = frozenset({"all", "agree"})
"""The strategies that make a value of their own, out of one answer as well as out of several."""


class Obstacle(NamedTuple):
    """Why one of several providers cannot be asked; the others are."""

    reason: Reason
    said: str
    hint: str | None = None

    def failure(self, provider: str) -> StepFailed:
        """The same as the failure of that provider."""
        return StepFailed(self.reason, self.said, provider=provider, hint=self.hint)


class ProviderChoice(NamedTuple):
    """One provider of a step, with what the script set for it alone. `timeout` is in seconds."""

    name: str
    model: str | None = None
    timeout: float | None = None
    access: Access | None = None
    obstacle: Obstacle | None = None

    @property
    def title(self) -> str:
        """As a script writes it: `name`, or `name:model`."""
        return self.name if self.model is None else f"{self.name}:{self.model}"


class Step(NamedTuple):
    """One `agent()` call, checked and with its providers named. Times are in seconds."""

    prompt: str
    label: str = ""
    phase: str = ""
    schema: Mapping[str, Any] | bool | None = None
    model: str | None = None
    effort: str | None = None
    agent_type: str | None = None
    providers: tuple[ProviderChoice, ...] = ()
    strategy: Strategy = "failover"
    capabilities: tuple[str, ...] = ()
    task: Mapping[str, Any] | None = None
    access: Access = "read"
    reads: tuple[str, ...] | None = None
    isolation: Literal["worktree"] | None = None
    on_resume: OnResume | None = None
    timeout: float | None = None
    stall_timeout: float | None = None
    retries: int | None = None
    max_tool_calls: int | None = None
    cache: bool | float = True

    @property
    def writes(self) -> bool:
        """Whether one of its providers may change files."""
        if self.access != "read":
            return True
        for choice in self.providers:  # noqa: SIM110 - asked often; a generator costs three times as much
            if choice.access is not None and choice.access != "read":
                return True
        return False

    @property
    def writes_in_place(self) -> bool:
        """Whether the files that it may change are those of the workspace, not of a worktree of its own."""
        return self.isolation is None and self.writes

    def parts(self, workspace: str | None) -> dict[str, Any]:
        """Everything its answer depends on, by name. `workspace` is the fingerprint of what it reads."""
        return {
            "version": KEY_VERSION,
            "prompt": self.prompt,
            "schema": self.schema,
            "model": self.model,
            "effort": self.effort,
            "agent_type": self.agent_type,
            "providers": [[p.name, p.model, p.access] for p in self.providers],
            "strategy": self.strategy if len(self.providers) > 1 or self.strategy in COMBINING else None,
            "capabilities": sorted(set(self.capabilities)),
            "task": self.task,
            "access": self.access,
            "isolation": self.isolation,
            "max_tool_calls": self.max_tool_calls,
            "workspace": workspace,
        }


class Key(NamedTuple):
    """The SHA-256 that names a step (`digest`, hex) and the parts it was made of, its occurrence among them."""

    digest: str
    parts: Mapping[str, Any]


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: Any) -> str:
    """JSON with sorted names, no spaces and ASCII only: one text per value on every platform. ValueError on NaN."""
    return _ENCODER.encode(value)


def digest_of(text: str) -> str:
    """SHA-256 of a text in UTF-8, as 64 hex digits; names of files may hold what is no UTF-8."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class KeyMaker:
    """Makes the keys of one run: it counts equal steps, so that three equal calls are three samples."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def key(self, step: Step, workspace: str | None) -> Key:
        """The key of the next call of this step in this run; occurrences count from 1."""
        parts = step.parts(workspace)
        content = digest_of(canonical(parts))
        self._seen[content] += 1
        occurrence = self._seen[content]
        return Key(_of_content(content, occurrence), {**parts, "occurrence": occurrence})


def key_digest(parts: Mapping[str, Any]) -> str:
    """The digest of the key that these parts make, the occurrence among them. ValueError when they make none."""
    rest = dict(parts)
    occurrence = rest.pop("occurrence", None)
    if type(occurrence) is not int:
        raise ValueError("the parts of a key have an occurrence")
    return _of_content(digest_of(canonical(rest)), occurrence)


def share_of(key: Key, choice: ProviderChoice) -> Key:
    """The key of what one provider adds to the answer of several."""
    parts = {**key.parts, "share": [choice.name, choice.model, choice.access]}
    return Key(key_digest(parts), parts)


def _of_content(content: str, occurrence: int) -> str:
    return digest_of(f'{{"content":"{content}","occurrence":{occurrence}}}')


_BEYOND = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an answer cost, as its provider reported it. None means that nobody said; it never means 0.

    `input_tokens` include the cached ones; `cost` is in US dollars.
    """

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None

    @property
    def tokens(self) -> int | None:
        """Input and output together, or None when neither is known."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    def is_sound(self) -> bool:
        """Whether these are numbers that can be counted: whole tokens, finite dollars, none below 0."""
        counted = (self.input_tokens, self.cached_tokens, self.output_tokens, self.reasoning_tokens)
        return all(
            number is None or (type(number) is int and 0 <= number < _BEYOND) for number in counted
        ) and (self.cost is None or (type(self.cost) in (int, float) and 0 <= self.cost < _BEYOND))

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=_sum(self.input_tokens, other.input_tokens),
            cached_tokens=_sum(self.cached_tokens, other.cached_tokens),
            output_tokens=_sum(self.output_tokens, other.output_tokens),
            reasoning_tokens=_sum(self.reasoning_tokens, other.reasoning_tokens),
            cost=_sum(self.cost, other.cost),
        )


NO_USAGE = Usage()
"""Nobody said what it cost."""


def _sum(left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right


class PatchedFile(NamedTuple):
    """One file of a patch, for people: its lines are None where it has none that could be counted."""

    path: str
    status: Literal["added", "deleted", "renamed", "changed"]
    added: int | None = None
    removed: int | None = None
    old: str | None = None
    """The name it had before, where that was another."""


class Patch(NamedTuple):
    """What one provider changed in a worktree of its own. `data` is what git calls a patch, relative to the top."""

    data: bytes
    base: str
    """The commit that the worktree began from, in hex; the workspace's changes lay over it."""
    provider: str
    files: tuple[PatchedFile, ...]


class Answer(NamedTuple):
    """What a provider gave back. `value` is the checked JSON where a schema was asked for, else the text itself."""

    value: Any
    usage: Usage = NO_USAGE
    provider: str = ""
    model: str | None = None
    session_id: str | None = None
    seconds: float = 0.0
    patches: tuple[Patch, ...] = ()
    """What was changed in worktrees, by provider; with several providers there may be several."""
    complete: bool = True
    """Whether everybody gave one who was asked. What lacks somebody's is not reused: an error is never kept."""
