"""A stand-in for a program: it prints recorded lines, ends as it is told, and keeps how it was started."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.providers.agents.agent import CodingAgent
from engine.providers.base import ProviderContext
from tests.providers.agents.clis import Asker


class Stage:
    """A folder with such a program in it."""

    def __init__(self, folder: Path, build: Callable[[ProviderContext], CodingAgent], name: str) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self._build = build
        self._name = name

    def play(
        self, lines: Iterable[Mapping[str, Any] | str], code: int = 0, errors: str = "", **options: Any
    ) -> Asker:
        """An asker whose program prints these lines, and that on standard error, and ends with that code."""
        spoken = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (self.folder / "lines").write_text("".join(f"{line}\n" for line in spoken))
        (self.folder / "errors").write_text(errors)
        program = self.folder / "bin" / self._name
        program.parent.mkdir(exist_ok=True)
        place = shlex.quote(str(self.folder))
        program.write_text(
            f"#!/bin/sh\ncd {place}\ncat > input\nprintf '%s\\n' \"$@\" > arguments\nenv > environment\n"
            f"cat lines\ncat errors >&2\nexit {code}\n"
        )
        program.chmod(0o755)
        path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path}
        return Asker(self._build, self._name, self.workspace, environment, options)

    @property
    def arguments(self) -> list[str]:
        """What the program was started with."""
        return (self.folder / "arguments").read_text().splitlines()

    @property
    def input(self) -> str:
        """What came on its standard input."""
        return (self.folder / "input").read_text()

    @property
    def environment(self) -> dict[str, str]:
        """What it saw of the environment."""
        lines = (self.folder / "environment").read_text().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}
