"""What is looked at and what may be: paths of the workspace, links followed, and none that leaves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.errors import UsageError
from engine.workspace.targets import resolve_inside


class Scope(NamedTuple):
    """Relative to the workspace, with slashes; `.` is all of it."""

    targets: tuple[str, ...] = (".",)
    allowed: tuple[str, ...] = (".",)


def find_scope(workspace: Path, folder: Path, targets: Sequence[str], allowed: Sequence[str]) -> Scope:
    """The paths as somebody in `folder` wrote them. UsageError when one is missing, leaves, or is not allowed.

    Without targets, what is allowed is the target.
    """
    open_to = _inside(workspace, folder, allowed, "--allow-paths") or [workspace.resolve()]
    looked_at = _inside(workspace, folder, targets, "--target-paths") or open_to
    for path in looked_at:
        if not any(path == root or root in path.parents for root in open_to):
            raise UsageError(
                f"the target {_name(workspace, path)!r} is not in the allowed paths",
                why=f"allowed: {', '.join(_names(workspace, open_to))}",
                hint="add it to --allow-paths",
            )
    return Scope(_names(workspace, looked_at), _names(workspace, open_to))


def _inside(workspace: Path, folder: Path, written: Iterable[str], option: str) -> list[Path]:
    paths: list[Path] = []
    for text in written:
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise UsageError(f"a path of {option} is not UTF-8", hint="name the folder above it")
        try:
            paths.append(resolve_inside(workspace, str(folder / text)))
        except UsageError as error:
            error.what = f"{option}: {error.what.replace(repr(str(folder / text)), repr(text))}"
            raise
    return list(dict.fromkeys(paths))


def _names(workspace: Path, paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(_name(workspace, path) for path in paths)


def _name(workspace: Path, path: Path) -> str:
    return path.relative_to(workspace.resolve()).as_posix()
