"""Providers that can be named and are never asked: for runs whose answers come from somewhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StepFailed
from engine.providers.base import Provider, Question, Readiness, Report
from engine.providers.registry import Registry
from engine.step import Answer

_READY = Readiness(True)
EVERYTHING = frozenset({"text", "schema", "tools", "edit", "web", "task:review", "task:search"})
"""What a provider can do of which nothing is known."""


@dataclass(slots=True)
class Unasked:
    """A provider that is only named. `state` is what it says when asked whether it is ready."""

    name: str
    capabilities: frozenset[str] = EVERYTHING
    note: str = ""
    state: Readiness = _READY

    def readiness(self) -> Readiness:
        """What is said of it."""
        return self.state

    async def ask(self, question: Question, report: Report) -> Answer:
        """Nobody asks it."""
        raise StepFailed("unsupported", "nobody is asked in this run", provider=self.name)


class NamesOnly(Registry):
    """The providers of `known`, and every other name as one that can do anything."""

    def __init__(self, known: Mapping[str, Provider], default: str) -> None:
        super().__init__(
            tables={},
            workspace=Path(),
            cache_folder=Path(),
            environment={},
            preferred=default,
            added=known,
        )
        self._known = dict(known)

    def names(self) -> list[str]:
        """Those that are known."""
        return list(self._known)

    def get(self, name: str) -> Provider:
        """The provider of that name, whatever it is."""
        return self._known.get(name) or Unasked(name)


class Muted(Registry):
    """The providers of another registry, none of which is asked: a step may name one that is not ready here."""

    def __init__(self, real: Registry, note: str) -> None:
        super().__init__(tables={}, workspace=Path(), cache_folder=Path(), environment={})
        self._real = real
        self._note = note

    def names(self) -> list[str]:
        """As in the other."""
        return self._real.names()

    def get(self, name: str) -> Provider:
        """The provider of that name. UsageError when there is none."""
        return Unasked(name, self._real.get(name).capabilities, self._note)

    def limits(self) -> dict[str, int]:
        """As in the other."""
        return self._real.limits()

    def default(self) -> str:
        """As in the other, which looks who is ready."""
        return self._real.default()

    def readiness(self) -> Iterator[tuple[str, Provider | None, Readiness]]:
        """As in the other: the first that is ready answers steps that name nobody."""
        for name, provider, readiness in self._real.readiness():
            yield name, None if provider is None else self.get(name), readiness
