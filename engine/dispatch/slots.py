"""The user's slots on this machine: all of their mco processes together run no more attempts than there are.

A slot is a locked file. The operating system lets go of the lock when its holder dies, however that happens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from engine.errors import StorageFailed, UsageError
from engine.record.lock import RunLock

LOOK_AGAIN_SECONDS = 0.25
"""Another process tells nobody when it is done with a slot; an attempt takes many times as long."""


class Slots:
    """A number of slots in a folder that all of the user's processes share."""

    def __init__(self, folder: Path, number: int, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._folder = folder
        self._number = number
        self._sleep = sleep

    def free(self) -> RunLock | None:
        """A slot, to be released by who asked; None when all are taken. StorageFailed when there can be none."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(
                "the folder of the machine's slots cannot be made",
                where=str(self._folder),
                why=error.strerror,
            ) from error
        for number in range(self._number):
            lock = RunLock(self._folder / f"{number}.lock")
            try:
                lock.acquire()
            except UsageError:
                continue  # another's
            return lock
        return None

    async def wait(self) -> RunLock:
        """A slot, as soon as there is one."""
        while (lock := self.free()) is None:
            await self._sleep(LOOK_AGAIN_SECONDS)
        return lock
