"""Loads scripts in workers, for the commands that only look at them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from workflows.inspection import Inspected, inspect_all
from workflows.script import Script


def look_at(scripts: Sequence[Script]) -> list[Inspected]:
    """Each script with its meta or its problems; as many workers side by side as there are processors."""
    import anyio

    return anyio.run(inspect_all, scripts, _load, os.cpu_count() or 1)


async def _load(name: str, source: bytes) -> dict[str, Any]:
    from engine.sandbox.host import Worker

    worker = Worker.spawn()
    try:
        return await worker.load(name, source)
    finally:
        worker.kill()
