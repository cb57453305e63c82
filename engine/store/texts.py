"""The long texts among the kept answers: one file each beside the database, named by the answer's key."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from engine.freed_memory import keep_freed_memory
from engine.record.long_text import read_text, write_text

_NAME = re.compile("[0-9a-f]{64}")


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
        return sum(entry.stat(follow_symlinks=False).st_size for entry in self._entries())

    def keep_only(self, keys: Collection[str]) -> None:
        """Delete all others, and what killed processes left."""
        for entry in self._entries():
            if entry.name not in keys:
                with suppress(OSError):
                    os.unlink(entry)  # noqa: PTH108 - a link goes, not what it leads to

    def sync(self) -> None:
        """Have the disk itself take what was kept since the last time. OSError when it cannot."""
        names, self._unsynced = self._unsynced, set()
        for name in [*names, "."] if names else []:
            with suppress(FileNotFoundError):
                file = os.open(self.folder / name, os.O_RDONLY)
                try:
                    os.fsync(file)
                finally:
                    os.close(file)

    def _path(self, key: str) -> Path:
        if not _NAME.fullmatch(key):
            raise ValueError("it is no key")
        return self.folder / key

    def _entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder) as entries:
                return list(entries)
        except OSError:
            return []
