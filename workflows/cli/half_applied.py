"""A patch of which only a part came into the files, because mco was killed: telling of it, undoing it, leaving it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import UsageError
from engine.text import clean_line
from workflows.cli.caller import Caller
from workflows.cli.outlet import tell

if TYPE_CHECKING:
    from engine.worktree.restoring import LeftBehind, Safe

_NAMED = 3


def safe(caller: Caller) -> Safe:
    """Where a workspace's files lie while a patch changes them."""
    from engine.surroundings import cache_of
    from engine.worktree.restoring import Safe

    return Safe(cache_of(caller.places.cache, caller.places.workspace) / "applying")


def document(caller: Caller) -> dict[str, Any] | None:
    """For `--json`; None when there is no such patch."""
    left = safe(caller).left_behind()
    if left is None:
        return None
    files = [str(file.path) for file in left.changed()]
    return {"what": left.what, "files": files, "kept": str(left.folder)}


def warn(caller: Caller) -> None:
    """Say so, and what can be done about it."""
    if left := safe(caller).left_behind():
        tell(clean_line(f"warning: {left.what} was cut off in the middle, and changed {_names(left)}", 1_000))
        tell("hint: --undo puts the files back as they were, --leave lets them be")


def decide(caller: Caller, *, undo: bool) -> None:
    """Undo it, or let the files be. UsageError when there is no such patch."""
    place = safe(caller)
    left = place.left_behind()
    if left is None:
        raise UsageError("there is nothing to decide", why="no --apply was cut off in the middle here")
    names = _names(left)
    if not undo:
        place.leave(left)
        tell(clean_line(f"left as they are: {names}", 1_000))
        return
    instead = place.undo(left)
    tell(clean_line(f"put back as before: {names}", 1_000))
    if instead.exists():
        tell(clean_line(f"what stood there instead lies in {instead}", 1_000))


def _names(left: LeftBehind) -> str:
    paths = [str(file.path) for file in left.changed()]
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(paths[:_NAMED]) + more
