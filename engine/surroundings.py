"""What a run is given and what comes of it: the request, the surroundings, the outcome."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from engine.dispatch.needs import Sources, StandIn
from engine.errors import MCOError
from engine.providers.registry import Registry
from engine.record.events import Answers, Logged, Status
from engine.record.folder import slug
from engine.record.stream import Stream
from engine.settings import Settings
from engine.source import ScriptSource
from engine.step import OnResume, Usage, digest_of
from engine.workspace.fingerprints import Where, WorkspaceFingerprints


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
    on_resume: Mapping[str, OnResume] = MappingProxyType({})
    """By key, what a person decided of steps that were changing files when an earlier run was killed."""

    @property
    def needs_wall(self) -> bool:
        """Whether it is untrusted, because somebody says so or because of where it lies."""
        return self.untrusted or self.script.foreign

    def facts(self) -> dict[str, Any]:
        """What `run.json` says of it."""
        return {
            "path": None if self.script.path is None else str(self.script.path),
            "reference": self.script.reference,
            "script_hash": self.script.digest,
            "parent": self.parent,
            "fresh": self.fresh,
            "untrusted": self.needs_wall,
        }


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
    stand_in: StandIn | None = None
    """Who gives the answers instead of the providers, or listens to theirs."""
    state_folder: Path | None = None
    """Where the run is recorded, when not in the workspace."""

    @property
    def state(self) -> Path:
        """The workspace's `.mco`, or what stands for it."""
        return self.state_folder or self.workspace / ".mco"

    @property
    def answers(self) -> Answers:
        """Where the answers of the run come from."""
        return "providers" if self.stand_in is None else self.stand_in.answers

    def facts(self) -> dict[str, Any]:
        """What `run.json` says of them."""
        return {
            "answers": self.answers,
            "mco": self.version,
            "python": ".".join(map(str, sys.version_info[:3])),
            "platform": sys.platform,
            "settings": self.settings.model_dump(mode="json", exclude={"providers"}),
        }

    def sources(self, own: Sources) -> Sources:
        """The sources of the run, when these are its own."""
        return own if self.stand_in is None else self.stand_in.take_over(own)

    @property
    def runs(self) -> Path:
        """Where the folders of the runs are."""
        return self.state / "runs"

    @property
    def workspace_cache(self) -> Path:
        """What the user's cache folder holds of this workspace alone: answers, and what can be made again."""
        return cache_of(self.cache_folder, self.workspace)

    def fingerprints(self, run: Path, request: RunRequest, stream: Stream) -> WorkspaceFingerprints:
        """What the steps of the run in a folder read."""
        parent = None if request.parent is None else self.runs / request.parent
        return WorkspaceFingerprints(
            Where(self.workspace, self.state, run, self.workspace_cache, parent, request.script.path),
            clock=self.clock,
            warn=lambda said: stream.emit(Logged, message=said, source="mco", level="warning"),
        )


def cache_of(cache_folder: Path, workspace: Path) -> Path:
    """A workspace's own part of the user's cache folder, outside the workspace: nothing in it came with a clone."""
    path = str(workspace.resolve())
    return cache_folder / "workspaces" / f"{slug(workspace.resolve().name)[:24]}-{digest_of(path)[:16]}"


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
