"""A run on real parts (worker process, diskcache, journal on disk) with a fake provider, for tests."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from engine.providers.base import Provider, Question
from engine.providers.fake import FakeProvider, Reply, echo
from engine.providers.registry import Registry
from engine.record.events import Event
from engine.record.journal import read_journal
from engine.run import run_script
from engine.sandbox.allowance import worker_limits
from engine.sandbox.host import Worker
from engine.settings import Settings
from engine.source import ScriptSource
from engine.surroundings import RunOutcome, RunRequest, Surroundings

META = 'meta = {"name": "trial", "description": "a script of a test"}\n'


@dataclass
class Rig:
    """A workspace with its cache outside, and every question that was asked there."""

    folder: Path
    asked: list[Question] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    providers: dict[str, Provider] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        place = self.folder / "workspace"
        place.mkdir(exist_ok=True)
        return place

    def surroundings(self, reply: Reply = echo, **settings: Any) -> Surroundings:
        def note(question: Question) -> Any:
            self.asked.append(question)
            return reply(question)

        return Surroundings(
            settings=Settings(**settings),
            registry=Registry(
                tables={},
                workspace=self.workspace,
                cache_folder=self.folder / "cache",
                environment={},
                preferred=settings.get("provider") or "fake",
                added={"fake": FakeProvider(note), **self.providers},
            ),
            workspace=self.workspace,
            cache_folder=self.folder / "cache",
            find=lambda name: ScriptSource(f"{name}.py", self.scripts[name].encode()),
            version="test",
            clock=self.clock,
            random=random.Random(7),
        )

    async def run(
        self,
        source: str,
        *,
        args: Mapping[str, Any] | None = None,
        fresh: bool = False,
        parent: str | None = None,
        stop: anyio.Event | None = None,
        views: list[Callable[[Event], None]] | None = None,
        around: Surroundings | None = None,
        reply: Reply = echo,
        **settings: Any,
    ) -> RunOutcome:
        """Run a script; `META` is put before it when it has no meta of its own."""
        text = source if "meta =" in source else META + source
        around = around or self.surroundings(reply, **settings)
        request = RunRequest(
            script=ScriptSource("trial.py", text.encode()),
            args=args or {},
            texts={},
            parent=parent,
            fresh=fresh,
        )
        worker = Worker.spawn(worker_limits(around.settings))
        return await run_script(request, around, worker=worker, stop=stop, views=views or ())


def events(outcome: RunOutcome) -> list[Event]:
    """The journal of a run."""
    return read_journal(outcome.folder / "journal.jsonl")


def kinds(outcome: RunOutcome) -> list[str]:
    """The kinds of its events, in order."""
    return [event.kind for event in events(outcome)]
