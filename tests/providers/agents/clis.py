"""The real programs, where `make clis` put them, and how a test asks one of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.process import MARKER
from engine.providers.agents.agent import CodingAgent
from engine.providers.base import Progress, ProviderContext, Question
from engine.step import Answer

FOLDER = os.environ.get("MCO_TEST_CLIS", "")
"""Read when tests are collected: while they run, the environment is their own."""
PROGRAMS = Path(FOLDER) / "node_modules" / ".bin"


def needs(name: str) -> pytest.MarkDecorator:
    """Skips where the program is not there."""
    there = bool(FOLDER) and (PROGRAMS / name).exists()
    return pytest.mark.skipif(not there, reason=f"{name} is not installed: `make clis` says how")


def surroundings(**variables: str) -> dict[str, str]:
    """The environment of a user who has the programs on the PATH, and these variables."""
    found = os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")])
    return {"PATH": found, "HOME": os.environ["HOME"], **variables}


class Asker:
    """One provider with a workspace, and what it said of its work."""

    def __init__(
        self,
        build: Callable[[ProviderContext], CodingAgent],
        name: str,
        workspace: Path,
        environment: Mapping[str, str],
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.workspace = workspace
        self.progress: list[Progress] = []
        context = ProviderContext(name, workspace, workspace, options or {}, environment)
        self.provider = build(context)

    async def ask(self, prompt: str = "Say something.", **question: Any) -> Answer:
        """One question."""
        asked = Question(prompt=prompt, workspace=self.workspace, **question)
        return await self.provider.ask(asked, self.progress.append)


def left_behind() -> list[int]:
    """The processes of this machine that carry this process's mark, which everything it starts inherits."""
    variable, ours = f"{MARKER}=".encode(), f"{os.getpid()}-".encode()
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it went while we looked, or is somebody else's
            words = (folder / "environ").read_bytes().split(b"\0")
            if any(word.startswith(variable) and ours in word for word in words):
                found.append(int(folder.name))
    return found
