"""The paths that may not leave the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.workspace.targets import resolve_inside


def test_targets_are_resolved_inside_the_workspace(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "door").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "file").write_text("")
    assert resolve_inside(tmp_path / "in", "file") == tmp_path / "in" / "file"
    assert resolve_inside(tmp_path / "in", ".") == tmp_path / "in"
    for target in ("../out", "door", str(tmp_path / "out"), "/"):
        with pytest.raises(UsageError, match="leaves the workspace"):
            resolve_inside(tmp_path / "in", target)
    for target in ("none", "nul\0byte"):
        with pytest.raises(UsageError, match="does not exist"):
            resolve_inside(tmp_path / "in", target)
