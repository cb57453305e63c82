"""What a step asks, apart from where: the parts of its key without the files, the same on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.step import Key, canonical, digest_of

_LOCAL = frozenset({"version", "workspace", "occurrence"})


class Asked(NamedTuple):
    """The parts of a step that are not empty, its schema as a digest; and the n-th of those with equal parts."""

    parts: Mapping[str, Any]
    occurrence: int

    @property
    def identity(self) -> tuple[str, int]:
        """What equal ones have in common."""
        return canonical(self.parts), self.occurrence


class Counting:
    """Tells the equal steps of one run apart, in the order in which they are asked."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def next(self, key: Key) -> Asked:
        """What the next step of the run asks."""
        parts = {name: value for name, value in key.parts.items() if name not in _LOCAL and not _empty(value)}
        if "schema" in parts:
            parts["schema"] = digest_of(canonical(parts["schema"]))
        content = canonical(parts)
        self._seen[content] += 1
        return Asked(parts, self._seen[content])


def _empty(value: Any) -> bool:
    """Whether a part says nothing: a later version of mco may have more of them."""
    return value is None or value in ([], "")


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The names of the parts that are not the same."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
