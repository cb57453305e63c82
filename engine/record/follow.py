"""Following a run from another process: its journal, and what is added, until it or its driver ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any

from engine.errors import StorageFailed
from engine.record.events import Event, RunFinished
from engine.record.folder import RunFolder
from engine.record.journal import JournalReader
from engine.record.lock import wait_until_released

_GATHER_MS = 20
"""Changes that come this close together are read at once."""
_PATIENCE_MS = 200
"""And however many come, they are read this often."""


async def follow(folder: RunFolder) -> AsyncGenerator[Event, None]:
    """The events of a run, from its first, as they are written.

    They end after RunFinished, or without one when the process that drove the run is gone.
    StorageFailed when there is no journal to read.
    """
    reader = JournalReader(folder.journal)
    for event in reader.read():
        yield event
        if isinstance(event, RunFinished):
            return
    async for _ in _additions(folder):
        for event in reader.read():
            yield event
            if isinstance(event, RunFinished):
                return


async def _additions(folder: RunFolder) -> AsyncIterator[None]:
    """Says when the journal should be read again, and once more when nobody writes it any longer."""
    ended = threading.Event()
    changes = _changes(folder, ended)
    first = asyncio.create_task(_next(changes))
    await asyncio.sleep(
        0
    )  # the task puts its watcher in place before it waits: no change is missed from here on
    _when_driver_ends(folder, ended)
    try:
        yield
        await first
        yield
        async for _ in changes:
            yield
        yield
    finally:
        ended.set()
        first.cancel()


def _changes(folder: RunFolder, ended: threading.Event) -> AsyncGenerator[Any, None]:
    # Imported here: slow, and only a follower needs it. Its types name trio, which is not installed.
    from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

    name = folder.journal.name
    return awatch(
        folder.path,
        watch_filter=lambda _change, path: path.endswith(name),
        debounce=_PATIENCE_MS,
        step=_GATHER_MS,
        stop_event=ended,
        recursive=False,
    )


async def _next(changes: AsyncGenerator[Any, None]) -> None:
    await anext(changes, None)


def _when_driver_ends(folder: RunFolder, ended: threading.Event) -> None:
    """Set `ended` when nobody holds the run's lock. The thread ends with the run, or with this process."""

    def wait() -> None:
        with suppress(StorageFailed):  # a lock that cannot be read tells nothing, so we wait for nobody
            wait_until_released(folder.lock)
        ended.set()

    threading.Thread(target=wait, name="mco-lock", daemon=True).start()
