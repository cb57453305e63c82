"""One trip to the disk for all who wait for it, as databases do at a commit (group commit)."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from anyio import to_thread


class GroupSync:
    """Runs `sync` in a thread, once for all who asked before it began."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._begun = 0
        self._ended = 0
        self._end = anyio.Event()

    async def done(self) -> None:
        """Wait for a round that begins after now, whoever cancels. What `sync` raises, one of those who wait hears."""
        wanted = self._begun + 1
        with anyio.CancelScope(shield=True):
            while self._ended < wanted:
                if self._begun == self._ended:
                    await self._round()
                else:
                    await self._end.wait()

    async def _round(self) -> None:
        self._begun += 1
        try:
            await to_thread.run_sync(self._sync)
        finally:
            self._ended += 1
            self._end.set()
            self._end = anyio.Event()
