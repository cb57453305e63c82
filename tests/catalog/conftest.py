from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.primitives.nested import ScriptSource
from engine.providers.base import ProviderContext, Question
from engine.providers.builtin import build
from engine.providers.fake import FakeProvider
from engine.providers.registry import Registry
from engine.record.events import Event
from engine.run import RunOutcome, RunRequest, Surroundings, run_script
from engine.sandbox.allowance import worker_limits
from engine.sandbox.host import Worker
from engine.settings import Settings

CATALOG = Path(__file__).resolve().parent.parent.parent / "catalog"
Run = Callable[..., Awaitable[RunOutcome]]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def events() -> list[Event]:
    """What the runs of a test told."""
    return []


@pytest.fixture
def run(workspace: Path, tmp_path: Path, events: list[Event]) -> Run:
    """Run a script of the catalog: without a model, or with `model`, a function that answers in its place.

    `pinned` means that the user insists on the model for every step.
    """

    async def ran(
        name: str,
        args: dict[str, Any],
        model: Callable[[Question], Any] | None = None,
        *,
        pinned: bool = False,
    ) -> RunOutcome:
        around = _surroundings(workspace, tmp_path / "cache", model, pinned)
        path = CATALOG / f"{name}.py"
        script = ScriptSource(name=name, source=path.read_bytes(), path=path, reference=f"builtin:{name}")
        request = RunRequest(script=script, args=args, texts={})
        worker = Worker.spawn(worker_limits(around.settings))
        return await run_script(request, around, worker=worker, views=[events.append])

    return ran


def _surroundings(
    workspace: Path, cache: Path, model: Callable[[Question], Any] | None, pinned: bool
) -> Surroundings:
    context = ProviderContext(
        name="builtin", workspace=workspace, cache_folder=cache / "builtin", environment=os.environ
    )
    providers: dict[str, Any] = {"builtin": build(context)}
    if model is not None:
        providers["model"] = FakeProvider(model, "model")
    registry = Registry(
        tables={},
        workspace=workspace,
        cache_folder=cache,
        environment=os.environ,
        added=providers,
        preferred="builtin" if model is None else "model",
    )

    def unknown(name: str) -> ScriptSource:
        raise UsageError(f"there is no workflow {name!r}")

    ticks = iter(range(1_800_000_000, 1_900_000_000))
    return Surroundings(
        settings=Settings.model_validate({"retries": 0, "provider": "model" if pinned else None}),
        registry=registry,
        workspace=workspace,
        cache_folder=cache,
        find=unknown,
        version="test",
        clock=lambda: float(next(ticks)),
        random=random.Random(),
    )
