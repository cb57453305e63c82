"""Which patches get in each other's way: the same lines, neighbouring lines, or only the same file. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from engine.worktree.diff import FileDiff, Span

Severity = Literal["same_line", "adjacent_line", "same_file"]
SEVERITIES: tuple[Severity, ...] = ("same_line", "adjacent_line", "same_file")
"""The worst first."""
NEAR = 5
"""Lines that are no further apart than this are neighbours."""


class Conflict(NamedTuple):
    """Two patches, by their places in the given order, that touch the same file."""

    first: int
    second: int
    path: str
    severity: Severity
    line: int | None = None
    """The first line, of the file as it was, where they meet."""


def find_conflicts(patches: Sequence[Sequence[FileDiff]]) -> list[Conflict]:
    """Every pair of patches that collide, once for each file, the worst first."""
    found: dict[tuple[int, int, str], Conflict] = {}
    for (one, ours), (other, theirs) in combinations(enumerate(patches), 2):
        by_path: dict[str, list[FileDiff]] = {}
        for diff in theirs:
            for path in diff.paths:
                by_path.setdefault(path, []).append(diff)
        for diff in ours:
            for path in diff.paths:
                for rival in [*by_path.get(path, ()), *_inside(diff, path, theirs)]:
                    severity, line = _severity(diff, rival)
                    _note(found, Conflict(one, other, path, severity, line))
    return sorted(found.values(), key=lambda c: (SEVERITIES.index(c.severity), c.first, c.second, c.path))


def _note(found: dict[tuple[int, int, str], Conflict], conflict: Conflict) -> None:
    place = (conflict.first, conflict.second, conflict.path)
    known = found.get(place)
    if known is None or SEVERITIES.index(conflict.severity) < SEVERITIES.index(known.severity):
        found[place] = conflict


def _inside(diff: FileDiff, path: str, rivals: Sequence[FileDiff]) -> list[FileDiff]:
    """Files of the others for which this one's file would have to be a folder, or the other way round."""
    if diff.new != path:
        return []
    return [
        rival
        for rival in rivals
        if rival.new is not None and (rival.new.startswith(f"{path}/") or path.startswith(f"{rival.new}/"))
    ]


def _severity(one: FileDiff, other: FileDiff) -> tuple[Severity, int | None]:
    if one.binary or other.binary or one.path != other.path or _is_whole(one) or _is_whole(other):
        return "same_line", None  # there are no lines that could be kept apart
    worst: tuple[Severity, int | None] = ("same_file", None)
    for span in one.spans:
        for rival in other.spans:
            distance = _distance(span, rival)
            line = min(span.first, rival.first)
            if distance <= 0:
                return "same_line", line
            if distance <= NEAR and worst[0] == "same_file":
                worst = ("adjacent_line", line)
    return worst


def _is_whole(diff: FileDiff) -> bool:
    """Whether it is about the file as a whole: made, gone, or of another kind."""
    return diff.status in ("added", "deleted", "renamed") or diff.link is not None


def _distance(one: Span, other: Span) -> int:
    """How many lines from one to the other; 0 or less when they meet."""
    left, right = sorted((one, other))
    if one.first == other.first:
        return 0  # two insertions at one place, or an insertion before a changed line
    return right.first - max(left.last, left.first - 1)
