"""Where a path may lead: inside the workspace, links followed, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UsageError


def resolve_inside(workspace: Path, target: str) -> Path:
    """The absolute path of a target, links followed. UsageError when it is not there or leaves the workspace."""
    root = workspace.resolve()
    try:
        path = (root / target).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise UsageError(f"the target {target!r} does not exist", where=str(root)) from None
    if path != root and root not in path.parents:
        raise UsageError(
            f"the target {target!r} leaves the workspace",
            where=str(root),
            hint="start mco in the folder that holds it",
        )
    return path
