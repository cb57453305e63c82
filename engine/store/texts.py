"""The long texts among the kept answers: one file each beside the database, named by the answer's key."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from engine.freed_memory import keep_freed_memory
from engine.record.long_text import read_text, write_text

_UNABLE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EROFS})
"""How a file system says that it has no such thing."""
_NAME = re.compile("[0-9a-f]{64}")
_OURS = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\.\d+")
"""A text, or what `write_text` moves into its place."""


class Texts:
    """The texts of one store. A key is a hex digest: nothing that a foreign row says becomes a path."""

    def __init__(self, store: Path) -> None:
        self.folder = store / "texts"
        self._unsynced: set[str] = set()

    def keep(self, key: str, text: str) -> int:
        """Keep a text; its size in bytes. OSError when the disk does not take it."""
        keep_freed_memory()
        path = self._path(key)
        try:
            size = write_text(path, text)
        except FileNotFoundError:
            self.folder.mkdir(mode=0o700)
            size = write_text(path, text)
        self._unsynced.add(key)
        return size

    def read(self, key: str, size: int) -> str:
        """The text under a key. OSError or ValueError when it is gone, of another size, or no text."""
        keep_freed_memory()
        return read_text(self._path(key), size)

    def has(self, key: str, size: int) -> bool:
        """Whether there is a text of that size."""
        try:
            return self._path(key).lstat().st_size == size
        except (OSError, ValueError):
            return False

    def size(self) -> int:
        """Bytes of all of them."""
        return sum(map(size_of, self._entries()))

    def drop(self, keys: Iterable[str]) -> None:
        """Delete these, as far as they are there."""
        for key in keys:
            with suppress(OSError):
                self._path(key).unlink()

    def keep_only(self, keys: Collection[str]) -> None:
        """Delete all others, and what killed processes left."""
        for entry in self._entries():
            if entry.name not in keys:
                with suppress(OSError):
                    os.unlink(entry)  # noqa: PTH108 - a link goes, not what it leads to

    def sync(self) -> None:
        """Have the disk itself take what was kept since the last time; may be called in another thread.

        OSError when the disk fails.
        """
        names: list[str] = []
        while self._unsynced:  # one by one: what is added meanwhile is taken now or stays for the next time
            names.append(self._unsynced.pop())
        for name in names:
            with suppress(FileNotFoundError):
                sync_file(self.folder / name)
        if names and os.name != "nt":  # Windows opens no folders
            sync_file(self.folder, os.O_RDONLY)

    def _path(self, key: str) -> Path:
        if not _NAME.fullmatch(key):
            raise ValueError("it is no key")
        return self.folder / key

    def _entries(self) -> list[os.DirEntry[str]]:
        """What is ours: the folder may be a link to one that has other files."""
        try:
            with os.scandir(self.folder) as entries:
                return [entry for entry in entries if _OURS.fullmatch(entry.name)]
        except OSError:
            return []


def sync_file(path: Path, how: int = os.O_RDWR) -> None:
    """Have the disk itself take a file; Windows syncs only what may be written. OSError when the disk fails."""
    file = os.open(path, how)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
    finally:
        os.close(file)


def size_of(file: os.PathLike[str]) -> int:
    """Bytes of a file; none when it is gone, since others come and go while it is looked at."""
    try:
        return os.lstat(file).st_size
    except OSError:
        return 0
