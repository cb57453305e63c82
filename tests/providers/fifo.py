"""A pipe by which a program says that it is at work."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio.to_thread


def fifo(folder: Path) -> tuple[Path, Callable[[], Awaitable[None]]]:
    """The pipe, and the wait until something was written to it."""
    path = folder / "running"
    os.mkfifo(path)

    async def at_work() -> None:
        await anyio.to_thread.run_sync(path.read_bytes, abandon_on_cancel=True)

    return path, at_work
