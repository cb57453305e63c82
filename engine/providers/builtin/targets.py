"""Where a task may look: inside the workspace, links followed, and nowhere else."""

from __future__ import annotations

import os.path
from pathlib import Path

from engine.errors import StepFailed, UsageError
from engine.workspace.targets import resolve_inside


def locate(workspace: Path, target: str) -> Path:
    """The real path of a target. StepFailed `refused` when it leaves the workspace, `not_found` when it is missing."""
    try:
        return resolve_inside(workspace, target)
    except UsageError as error:
        leaves = _points_outside(workspace, target) or os.path.lexists(workspace / target)
        raise StepFailed(
            "refused" if leaves else "not_found",
            f"the target {target!r} leaves the workspace" if leaves else error.what,
            hint=f"targets are relative to {workspace.resolve()}, such as 'src' or '.'",
        ) from None


def _points_outside(workspace: Path, target: str) -> bool:
    # By its letters alone: whether something exists outside is nobody's business.
    root = Path(os.path.normpath(workspace))
    return not Path(os.path.normpath(root / target)).is_relative_to(root)


def relative_name(root: Path, path: Path) -> str:
    """A path below `root` as reports write it: relative, with forward slashes."""
    return path.relative_to(root).as_posix()
