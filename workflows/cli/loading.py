"""Loads scripts in workers, for the commands that only look at them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from workflows.inspection import Inspected, Loaded, inspect_all
from workflows.script import Script


def look_at(scripts: Sequence[Script], *, advise: bool = False) -> list[Inspected]:
    """Each script with its meta or its problems; as many workers side by side as there are processors.

    With `advise` each also has its warnings, which take a moment longer.
    """
    import anyio

    return anyio.run(inspect_all, scripts, partial(_load, advise=advise), os.cpu_count() or 1)


async def _load(name: str, source: bytes, *, advise: bool) -> Loaded:
    from engine.sandbox.host import Worker

    worker = Worker.spawn(advise=advise)
    try:
        meta = await worker.load(name, source)
        return Loaded(meta, worker.warnings)
    finally:
        worker.kill()
