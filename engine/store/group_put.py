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


class _Batch:
    """What is put together, and whether it was."""

    def __init__(self) -> None:
        self.answers: list[Fresh] = []
        self.over = anyio.Event()
        self.error: BaseException | None = None


class GroupPut:
    """Hands answers to `put`, together with those that come until the event loop has been round once."""

    def __init__(self, put: Callable[[Sequence[Fresh]], None]) -> None:
        self._put = put
        self._next = _Batch()

    async def done(self, fresh: Fresh) -> None:
        """Wait until this one was put, whoever cancels. What `put` raises, all hear whose answers were in it."""
        batch = self._next
        batch.answers.append(fresh)
        with anyio.CancelScope(shield=True):
            if len(batch.answers) > 1:
                await batch.over.wait()
            else:
                await checkpoint()
                self._write(batch)
        if batch.error is not None:
            raise batch.error

    def _write(self, batch: _Batch) -> None:
        self._next = _Batch()
        try:
            self._put(batch.answers)
        except BaseException as error:  # noqa: BLE001 - each of them raises it
            batch.error = error
        batch.over.set()
