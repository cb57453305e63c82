"""The lock of a run: held by the process that drives it for as long as it lives, however it ends."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from types import TracebackType

from engine.errors import StorageFailed, UsageError

_PLAIN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A run's folder may have come with a repository: a link is not written through, and no pipe is waited for."""

_DRIVEN = "driven"


class RunLock:
    """An exclusive lock on a file that names its holder; the operating system lets go when the holder dies.

    Take it before the run's journal is made: whoever finds a journal may then ask whether its run goes on.
    """

    def __init__(self, path: Path, what: str = _DRIVEN) -> None:
        self.path = path
        self._what = what
        self._file = -1

    def acquire(self) -> None:
        """Take it. UsageError naming the process that has it, StorageFailed when the file cannot be made."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | _PLAIN, 0o600)
        except OSError as error:
            raise _storage(self.path, error) from error
        try:
            self._take(file)
        except OSError as error:
            os.close(file)
            raise _storage(self.path, error) from error
        except UsageError:
            os.close(file)
            raise
        self._file = file

    def _take(self, file: int) -> None:
        if not _try_exclusive(file):
            holder = _holder(file)
            if holder is not None:
                raise _busy(self.path, self._what, holder)
            _exclusive(file)  # no holder wrote its name: somebody only looked, and lets go at once
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, str(os.getpid()).encode())

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> RunLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether a living process drives the run whose lock file this is."""
    return holder(path) is not None


def holder(path: Path) -> str | None:
    """The id of the living process that has this lock; None when nobody has it."""
    file = _open_existing(path)
    if file is None:
        return None
    try:
        named = _holder(file)
        return None if named is None or _try_shared(file) else named
    finally:
        os.close(file)


def wait_until_released(path: Path) -> None:
    """Block this thread until nobody holds the lock; at once when nobody does."""
    file = _open_existing(path)
    if file is None:
        return
    try:
        _shared(file)
    finally:
        os.close(file)


def _open_existing(path: Path) -> int | None:
    try:
        file = os.open(path, os.O_RDONLY | _PLAIN)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _storage(path, error) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _storage(path, OSError(errno.EINVAL, "it is not a regular file"))
    return file


def _storage(path: Path, error: OSError) -> StorageFailed:
    if error.errno == errno.ELOOP:
        hint = "a repository may have brought it: remove the link, if you did not make it"
        return StorageFailed("the run's lock cannot be used", where=str(path), why="it is a link", hint=hint)
    return StorageFailed(
        "the run's lock cannot be used",
        where=str(path),
        why=error.strerror or str(error),
        hint="make the folder writable, or free some space on its disk",
    )


def _holder(file: int) -> str | None:
    os.lseek(file, 0, os.SEEK_SET)
    text = os.read(file, 32).decode("ascii", "replace").strip()
    return text if text.isdecimal() else None


def _busy(path: Path, what: str, holder: str) -> UsageError:
    followed = f" {path.parent.name}" if what == _DRIVEN else ""  # another run takes it up, one of the newest
    return UsageError(
        f"the run {path.parent.name} is being {what} by process {holder}",
        where=str(path.parent),
        hint=f"watch it with: mco watch{followed}",
    )


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # beyond the text, which stays readable while this byte is locked

    def _attempt(file: int, mode: int) -> bool:
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, mode, 1)
        except OSError:
            return False
        return True

    def _try_exclusive(file: int) -> bool:
        return _attempt(file, msvcrt.LK_NBLCK)

    def _exclusive(file: int) -> None:
        while not _attempt(file, msvcrt.LK_LOCK):  # waits ten seconds inside each call
            pass

    _try_shared = _try_exclusive  # Windows has no shared kind; the lock goes with the handle
    _shared = _exclusive
else:
    import fcntl

    def _attempt(file: int, mode: int) -> bool:
        try:
            fcntl.flock(file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _try_exclusive(file: int) -> bool:
        return _attempt(file, fcntl.LOCK_EX)

    def _exclusive(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _try_shared(file: int) -> bool:
        return _attempt(file, fcntl.LOCK_SH)

    def _shared(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_SH)
