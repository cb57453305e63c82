"""Who is asked: names as people write them, with a model, a stall timeout and an access of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from engine.errors import UsageError
from engine.primitives.arguments import Chosen
from engine.step import Access

MOST = 16
LONGEST = 7 * 86400.0
"""Seconds: the longest that anything may take."""


class Reviewer(NamedTuple):
    """One provider as it is asked. `stall_timeout` is in seconds; None leaves it to the others' common one."""

    name: str
    model: str | None = None
    access: Access = "read"
    stall_timeout: float | None = None

    @property
    def title(self) -> str:
        """As people write it: `name`, or `name:model`."""
        return self.name if self.model is None else f"{self.name}:{self.model}"

    def argument(self) -> dict[str, Any]:
        """As the flow takes it."""
        named = {"name": self.name, "model": self.model, "stall_timeout": self.stall_timeout}
        return {**{name: value for name, value in named.items() if value is not None}, "access": self.access}


def split_list(texts: Iterable[str]) -> list[str]:
    """`a,b` and repeated options as one list, each entry once, in the given order."""
    entries = [entry.strip() for text in texts for entry in text.split(",")]
    return list(dict.fromkeys(entry for entry in entries if entry))


def read_reviewers(texts: Iterable[str]) -> tuple[Reviewer, ...]:
    """`claude,codex:gpt-5` as reviewers. UsageError on what is no name, and on too many."""
    entries = split_list(texts)
    if len(entries) > MOST:
        raise UsageError(f"{len(entries)} providers are named", hint=f"name at most {MOST}")
    return tuple(_reviewer(entry) for entry in entries)


def _reviewer(entry: str) -> Reviewer:
    try:
        chosen = TypeAdapter(Chosen).validate_python(entry)
    except ValidationError:
        raise UsageError(
            f"{entry!r} is no provider", hint="write a name, or name:model; `mco providers` lists them"
        ) from None
    return Reviewer(chosen.name, chosen.model)


def read_timeouts(texts: Iterable[str]) -> dict[str, float]:
    """`claude=300,codex=120` as seconds by provider. UsageError on anything else."""
    timeouts: dict[str, float] = {}
    for entry in split_list(texts):
        name, equals, number = entry.partition("=")
        seconds = _seconds(number)
        if not equals or not name or seconds is None:
            raise UsageError(
                f"{entry!r} is no timeout of a provider",
                hint="write --provider-timeouts claude=300,codex=120, in seconds, at most a week",
            )
        timeouts[name.strip()] = seconds
    return timeouts


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds <= LONGEST else None


def with_timeouts(reviewers: Sequence[Reviewer], timeouts: Mapping[str, float]) -> tuple[Reviewer, ...]:
    """The reviewers, each with its own stall timeout. UsageError on one for somebody who is not asked."""
    check_asked(timeouts, reviewers, "--provider-timeouts")
    return tuple(
        one._replace(stall_timeout=timeouts.get(one.title, timeouts.get(one.name))) for one in reviewers
    )


def check_asked(names: Iterable[str], reviewers: Sequence[Reviewer], option: str) -> None:
    """UsageError when an option is about somebody who is not asked: it would be heard by nobody."""
    asked = {name for one in reviewers for name in (one.name, one.title)}
    for name in names:
        if name not in asked:
            raise UsageError(
                f"{option} names {name!r}, who is not asked",
                why=f"asked: {', '.join(one.title for one in reviewers)}",
                hint="name it with --providers, or leave it out here",
            )
