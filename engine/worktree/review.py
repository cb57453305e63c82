"""The patches of a run side by side: their numbers for people, and where those that are still open collide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.record.events import Logged
from engine.record.folder import RunFolder
from engine.record.patches import KeptPatch, PatchFolder
from engine.record.plain_file import read_plain
from engine.record.stream import Stream
from engine.text import clean_line
from engine.worktree.conflicts import Conflict, find_conflicts
from engine.worktree.diff import FileDiff, PatchUnreadable, parse_patch

_TOLD = 5
"""So many collisions are said one by one where a run ends."""


class Collision(NamedTuple):
    """Two patches of a run, by their numbers (from 1), that touch the same file."""

    first: int
    second: int
    conflict: Conflict


class Review(NamedTuple):
    """All patches of a run, and the collisions among those that wait for somebody to decide."""

    patches: tuple[KeptPatch, ...]
    collisions: tuple[Collision, ...]

    @classmethod
    def of(cls, folder: RunFolder) -> Review:
        """The patches that a run's folder has."""
        patches = tuple(PatchFolder(folder).all())
        numbers = [number for number, patch in enumerate(patches, 1) if patch.state == "offered"]
        found = find_conflicts([_files(patches[number - 1]) for number in numbers])
        collisions = [Collision(numbers[one.first], numbers[one.second], one) for one in found]
        return cls(patches, tuple(collisions))

    def among(self, numbers: Sequence[int]) -> Review:
        """The same with only the collisions between patches of these numbers."""
        chosen = [one for one in self.collisions if one.first in numbers and one.second in numbers]
        return self._replace(collisions=tuple(chosen))

    def warnings(self) -> list[str]:
        """Which patches collide, in a sentence for each two of them, the worst first; bounded."""
        pairs: dict[tuple[int, int], list[Conflict]] = {}
        for one in self.collisions:
            pairs.setdefault((one.first, one.second), []).append(one.conflict)
        said = [self._sentence(*pair, conflicts) for pair, conflicts in list(pairs.items())[:_TOLD]]
        more = len(pairs) - len(said)
        return [*said, f"{more} more pairs of patches collide"] if more else said

    def _sentence(self, first: int, second: int, conflicts: list[Conflict]) -> str:
        both = " and ".join(
            f"{number} ({clean_line(self.patches[number - 1].facts.label, 60)})" for number in (first, second)
        )
        worst = conflicts[0]
        more = f" and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
        return f"patches {both} collide in {_shown(worst)}{more} ({worst.severity})"

    @property
    def offered(self) -> int:
        """How many wait for somebody to decide."""
        return sum(patch.state == "offered" for patch in self.patches)


def tell_collisions(folder: RunFolder, stream: Stream) -> list[str]:
    """Say on the stream where the patches of a run collide; the same sentences are returned."""
    said = Review.of(folder).warnings()
    for sentence in said:
        stream.emit(Logged, message=sentence, source="mco", level="warning")
    return said


def _shown(conflict: Conflict) -> str:
    name = conflict.path.encode(errors="surrogateescape").decode(errors="replace")
    return clean_line(name if conflict.line is None else f"{name}:{conflict.line}")


def _files(patch: KeptPatch) -> list[FileDiff]:
    try:
        return parse_patch(read_plain(patch.path))
    except (OSError, PatchUnreadable):
        return []  # who applies it is told
