"""Where things are on this machine: the workspace, the user's folders, the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

CATALOG = Path(__file__).resolve().parent.parent / "catalog"
STATE = ".mco"
"""Our own folder in a workspace."""


class Places(NamedTuple):
    """The folders that one command works with; none of them need exist."""

    workspace: Path
    user: Path
    """The user's configuration folder."""
    cache: Path
    user_state: Path
    """Where the user's programs keep what they were told."""
    catalog: Path = CATALOG

    @classmethod
    def around(cls, folder: Path, environment: Mapping[str, str]) -> Places:
        """The places for somebody who stands in `folder`."""
        # 20 ms that `mco --help` does not need
        from platformdirs import user_cache_path, user_config_path, user_state_path

        home = Path(environment.get("HOME", "~")).expanduser()
        workspace = find_workspace(folder, home)
        return cls(workspace, user_config_path("mco"), user_cache_path("mco"), user_state_path("mco"))

    @property
    def state(self) -> Path:
        """What mco keeps in the workspace; git ignores it."""
        return self.workspace / STATE

    @property
    def runs(self) -> Path:
        """The folder of all runs of the workspace."""
        return self.state / "runs"

    @property
    def project_workflows(self) -> Path:
        """The workspace's own scripts."""
        return self.state / "workflows"

    @property
    def user_workflows(self) -> Path:
        """The user's own scripts, there in every workspace."""
        return self.user / "workflows"

    @property
    def trusted(self) -> Path:
        """What the user agreed to run, one line each time; see `workflows.trust`."""
        return self.user_state / "trusted.jsonl"

    @property
    def project_settings(self) -> Path:
        """Settings of the workspace, which may only narrow the user's."""
        return self.state / "config.toml"

    @property
    def user_settings(self) -> Path:
        """The user's settings."""
        return self.user / "config.toml"


def find_workspace(folder: Path, home: Path) -> Path:
    """The nearest folder, upwards, with a `.mco` or a `.git`; else the folder itself.

    The home folder counts only when one stands in it: a stray `.mco` there must not make all of it the workspace.
    """
    for candidate in (folder, *folder.parents):
        if candidate == home and candidate != folder:
            continue
        if (candidate / STATE).is_dir() or (candidate / ".git").exists():
            return candidate
    return folder
