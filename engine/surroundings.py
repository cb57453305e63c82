"""What a run is given and what comes of it: the request, the surroundings, the outcome."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import MCOError
from engine.providers.registry import Registry
from engine.record.events import Status
from engine.settings import Settings
from engine.source import ScriptSource
from engine.step import Usage


class RunRequest(NamedTuple):
    """What to run. `texts` are arguments still as typed (`-a key=value`); they are laid over `args`.

    What is `untrusted`, and what it calls, runs behind a whole wall of the operating system or not at all.
    """

    script: ScriptSource
    args: Mapping[str, Any]
    texts: Mapping[str, str]
    parent: str | None = None
    fresh: bool = False
    untrusted: bool = False

    @property
    def needs_wall(self) -> bool:
        """Whether it is untrusted, because somebody says so or because of where it lies."""
        return self.untrusted or self.script.foreign


class Surroundings(NamedTuple):
    """Where and with what runs happen. `find` gives a workflow by name for `workflow()`; `clock` is epoch seconds."""

    settings: Settings
    registry: Registry
    workspace: Path
    cache_folder: Path
    find: Callable[[str], ScriptSource]
    version: str
    clock: Callable[[], float]
    random: random.Random

    @property
    def state(self) -> Path:
        """The workspace's `.mco`."""
        return self.workspace / ".mco"

    @property
    def runs(self) -> Path:
        """Where the folders of the runs are."""
        return self.state / "runs"


class RunOutcome(NamedTuple):
    """How a run ended. `result` is what the script returned; `error` says what went wrong, if something did."""

    run_id: str
    folder: Path
    workflow: str
    status: Status
    result: Any
    error: MCOError | None
    steps: Mapping[str, int]
    usage: Usage
    seconds: float
