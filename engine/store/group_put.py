"""Answers that come in the same moment are one transaction: a commit takes longer than all else of keeping one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import anyio
from anyio.lowlevel import checkpoint

from engine.step import Answer, Key


class Fresh(NamedTuple):
    """An answer that was made just now (epoch seconds), to be kept under its key."""

    key: Key
    answer: Answer
    made_at: float


class GroupPut:
    """Hands answers to `put`, together with those that come until the event loop has been round once."""

    def __init__(self, put: Callable[[Sequence[Fresh]], None]) -> None:
        self._put = put
        self._coming: list[Fresh] = []
        self._written = anyio.Event()

    async def done(self, fresh: Fresh) -> None:
        """Wait until this one was put, whoever cancels. What `put` raises, the first of those who wait hears."""
        self._coming.append(fresh)
        with anyio.CancelScope(shield=True):
            if len(self._coming) > 1:
                await self._written.wait()
            else:
                await checkpoint()
                self._write()

    def _write(self) -> None:
        batch, self._coming = self._coming, []
        written, self._written = self._written, anyio.Event()
        try:
            self._put(batch)
        finally:
            written.set()
