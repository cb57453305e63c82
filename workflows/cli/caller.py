"""Who called the command: the folder they stand in, their environment, and the clock; and what follows from it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine import __version__
from workflows.library import Library
from workflows.places import Places
from workflows.script import Script

if TYPE_CHECKING:
    from engine.providers.registry import Registry
    from engine.settings import LoadedSettings, Settings
    from engine.source import ScriptSource
    from engine.surroundings import Surroundings
    from workflows.runs import RunStore
    from workflows.trust import Trust


@dataclass(frozen=True)
class Caller:
    """Everything a command takes from outside. `clock` returns seconds since the epoch."""

    folder: Path
    environment: Mapping[str, str]
    clock: Callable[[], float]
    random: random.Random
    arguments: tuple[str, ...] = ()
    """The command line behind `mco`, for what tells people how to write it otherwise."""

    @cached_property
    def places(self) -> Places:
        """The folders that this command works with."""
        return Places.around(self.folder, self.environment)

    @property
    def library(self) -> Library:
        """The workflows that can be named here."""
        return Library(self.places)

    @property
    def runs(self) -> RunStore:
        """The runs of the workspace."""
        from workflows.runs import RunStore  # pydantic comes with it, and `mco --help` has no need of it

        return RunStore(self.places.runs)

    @property
    def trust(self) -> Trust:
        """What the user agreed to run in the workspace."""
        from workflows.trust import Trust  # only what runs scripts asks

        return Trust(self.places)

    def settings(self, flags: Mapping[str, Any] | None = None) -> LoadedSettings:
        """The settings in force here. UsageError when one is wrong."""
        from engine.settings import load_settings

        return load_settings(
            user_file=self.places.user_settings,
            project_file=self.places.project_settings,
            environment=self.environment,
            flags=flags,
        )

    def registry(self, settings: Settings) -> Registry:
        """The providers that the settings and this machine offer."""
        from engine.providers.registry import Registry

        return Registry(
            tables=settings.providers,
            workspace=self.places.workspace,
            cache_folder=self.places.cache,
            environment=self.environment,
            preferred=settings.provider,
            allowed=settings.allowed_providers,
        )

    def surroundings(self, settings: Settings, find: Callable[[str], ScriptSource]) -> Surroundings:
        """What a run is given. `find` reads the script that `workflow()` names."""
        from engine.surroundings import Surroundings

        return Surroundings(
            settings=settings,
            registry=self.registry(settings),
            workspace=self.places.workspace,
            cache_folder=self.places.cache,
            find=find,
            version=__version__,
            clock=self.clock,
            random=self.random,
        )


def read_source(script: Script, reference: str) -> ScriptSource:
    """A found script as the engine takes it."""
    from engine.source import ScriptSource

    content = script.read()
    path = script.path.resolve()  # after it was read: links that go round in a circle are told of there
    kept = str(path) if script.origin == "file" else reference
    return ScriptSource(script.path.name, content, path, kept, script.is_foreign())


pass_caller = click.make_pass_decorator(Caller)
