"""Runs a script the whole way (worker, frames, keys, store, journal) with the fake provider, and times it."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from engine.providers.base import Provider
from engine.providers.fake import FakeProvider, Reply
from engine.providers.registry import Registry
from engine.run import run_script
from engine.sandbox.allowance import worker_limits
from engine.sandbox.host import Worker
from engine.settings import Settings
from engine.source import ScriptSource
from engine.surroundings import RunOutcome, RunRequest, Surroundings

SYSTEM: Mapping[str, str] = {"PATH": "/usr/bin:/bin"}
META = 'meta = {"name": "bench", "description": "a benchmark"}\n'


def surroundings(
    folder: Path,
    reply: Reply | None = None,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] = SYSTEM,
    providers: Mapping[str, Provider] | None = None,
    **settings: Any,
) -> Surroundings:
    """A workspace in `folder` whose default provider is the fake one, or the first of `tables` or `providers`."""
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    chosen = Settings.model_validate({"max_steps": 1_000_000, "cpu_seconds": 600, **settings})
    fake = FakeProvider(reply or (lambda question: "done"))
    added: dict[str, Provider] = dict(providers or ({} if tables else {"fake": fake}))
    registry = Registry(
        tables=tables or {},
        workspace=workspace,
        cache_folder=folder / "cache",
        environment=environment,
        preferred=next(iter(tables or added)),
        added=added,
    )
    return Surroundings(
        settings=chosen,
        registry=registry,
        workspace=workspace,
        cache_folder=folder / "cache",
        find=_nothing,
        version="benchmark",
        clock=time.time,
        random=random.Random(1),
    )


def _nothing(name: str) -> ScriptSource:
    raise LookupError(name)


def timed_run(
    around: Surroundings, body: str, args: Mapping[str, Any] | None = None, parent: str | None = None
) -> tuple[float, RunOutcome]:
    """Seconds from a ready worker to the end of the run, and its outcome; anything but `done` is an error."""
    script = ScriptSource("bench.py", (META + body).encode())
    request = RunRequest(script=script, args=dict(args or {}), texts={}, parent=parent)

    async def go() -> tuple[float, RunOutcome]:
        worker = Worker.spawn(worker_limits(around.settings))
        await anyio.sleep(0.3)  # the start has a figure of its own
        gc.collect()
        gc.freeze()  # as the command does, and as seldom as there
        gc.set_threshold(100_000, 20, 20)
        started = time.perf_counter()
        outcome = await run_script(request, around, worker=worker)
        return time.perf_counter() - started, outcome

    seconds, outcome = anyio.run(go)
    if outcome.status != "done":
        raise RuntimeError(f"{outcome.status}: {outcome.error}")
    return seconds, outcome
