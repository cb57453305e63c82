"""What no patch may do to a workspace, looked for before git sees it: anybody may have changed the text."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.text import clean_line
from engine.worktree.diff import LINK, FileDiff

_OURS = frozenset({".git", ".mco"})
_FILES = frozenset({"100644", "100755", LINK, None})


def hazards(files: Sequence[FileDiff], top: Path, prefix: str) -> list[str]:
    """Everything that is wrong, in sentences. `prefix` is the workspace's place below `top`, empty or ending in /."""
    return list(dict.fromkeys(sentence for diff in files for sentence in _of(diff, top, prefix)))


def _of(diff: FileDiff, top: Path, prefix: str) -> Iterator[str]:
    for path in diff.paths:
        shown = clean_line(path.encode(errors="replace").decode(), 200)
        parts = path.split("/")
        if path.startswith("/") or "\\" in path or not {"", ".", ".."}.isdisjoint(parts):
            yield f"{shown} leaves the workspace"
        elif not path.startswith(prefix):
            yield f"{shown} is outside the workspace, which is {prefix} of its repository"
        elif any(_is_ours(part) for part in parts):
            yield f"{shown} is not for agents to change"
        elif _leads_through_link(top, parts[:-1]):
            yield f"{shown} lies behind a link"
        elif diff.status == "renamed" and (top / path).is_symlink():
            yield f"{shown} is a link, and would point elsewhere from its new place"
    if diff.old_mode not in _FILES or diff.new_mode not in _FILES:
        yield f"{clean_line(diff.path.encode(errors='replace').decode(), 200)} is neither a file nor a link"
    if (
        diff.new_mode == LINK
        and (diff.binary or (diff.status != "renamed" and diff.old_mode != diff.new_mode))
        and diff.link is None
    ):
        yield f"{clean_line(diff.path.encode(errors='replace').decode(), 200)} is a link to nowhere"
    if diff.link is not None and _points_out(diff, prefix):
        yield f"{clean_line(diff.path.encode(errors='replace').decode(), 200)} is a link out of the workspace"


def _is_ours(part: str) -> bool:
    plain = part.lower().rstrip(". ").partition(":")[0]  # file systems forgive more than git does
    return plain in _OURS or plain.startswith(("git~", "mco~"))


def _leads_through_link(top: Path, folders: list[str]) -> bool:
    place = top
    for folder in folders:
        place /= folder
        if place.is_symlink():
            return True
    return False


def _points_out(diff: FileDiff, prefix: str) -> bool:
    target = (diff.link or b"").decode(errors="replace")
    if target.startswith("/") or "\\" in target or ":" in target:
        return True
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(diff.path), target))
    inside = f"{reached}/".startswith(prefix) if prefix else not reached.startswith("../") and reached != ".."
    return not inside or any(_is_ours(part) for part in reached.split("/"))
