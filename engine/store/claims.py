"""Who is at work at which step: a claim by key, so that what two processes want at once is paid for once.

All claims of a workspace are locked bytes of one file, at an offset that the key gives: taking one costs a system
call, and the operating system lets go of it when its holder dies. The locks are POSIX's (`fcntl`), which belong to a
process: two runs inside one process do not see each other's. Where there is no `fcntl` (Windows) every claim is free.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

LOOK_AGAIN_SECONDS = 0.25
"""Another process tells nobody when it is done with a step, which takes many times as long."""


class Claims:
    """The claims of one run, in the file `path`. What cannot be locked is free: claims save money, nothing more."""

    def __init__(self, path: Path, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            self._file = -1

    def take(self, key: str) -> bool:
        """Claim a key (a hex digest); False when another process has it."""
        return self._file < 0 or _lock(self._file, _offset(key))

    async def wait(self, key: str) -> None:
        """Claim a key as soon as nobody else has it."""
        while not self.take(key):
            await self._sleep(LOOK_AGAIN_SECONDS)

    def let_go(self, key: str) -> None:
        """Give a claim back."""
        if self._file >= 0:
            _unlock(self._file, _offset(key))

    def close(self) -> None:
        """Give all of them back; harmless when called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _offset(key: str) -> int:
    """A byte for each key; that two share one is less likely than a false answer from the disk."""
    return int(key[:15], 16)


if sys.platform == "win32":

    def _lock(file: int, offset: int) -> bool:
        return True

    def _unlock(file: int, offset: int) -> None:
        """Nothing was locked."""
else:
    import fcntl

    def _lock(file: int, offset: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            return True  # the file system has no locks, or no room for one
        return True

    def _unlock(file: int, offset: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, offset)
