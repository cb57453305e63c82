"""The database of the answer store: a diskcache that holds JSON text only.

diskcache would pickle whatever is not text; a database can be handed to us by anybody who can write to the user's
cache folder, so our Disk neither pickles nor unpickles, opens no file that a row names, and takes no row but text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import MODE_RAW

from engine.store.kept import MAXIMUM_ROW

# Rows are made once and never expire by themselves, so diskcache's bookkeeping would be paid for nothing. The write-
# ahead log with synchronous=1 keeps the database whole through a crash; it may grow to 32 MiB, since each time it is
# folded into the database waits for the disk. Of its pages 4 MiB are held: the system has the rest.
_SETTINGS: Mapping[str, Any] = {
    "eviction_policy": "none",
    "cull_limit": 0,
    "size_limit": 1 << 40,
    "statistics": 0,
    "tag_index": 0,
    "sqlite_auto_vacuum": 0,
    "sqlite_synchronous": 1,
    "sqlite_wal_autocheckpoint": 8192,
    "sqlite_cache_size": 1024,
}

DATABASE = "cache.db"
"""The file that diskcache makes; with `-wal` and `-shm` behind its name those of SQLite's."""
BUSY_SECONDS = 10
"""How long another process may keep the database to itself."""


class ForeignRow(Exception):
    """A row that we did not write."""


class TextDisk(diskcache.Disk):
    """Keeps text in the row itself. Whatever else a row claims to be is refused, never decoded."""

    def put(self, key: Any) -> tuple[Any, bool]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A key as the database holds it."""
        if not isinstance(key, str):
            raise TypeError("keys are text")
        return key, True

    def get(self, key: Any, raw: Any) -> Any:
        """A key as we know it."""
        if not isinstance(key, str) or not raw:
            raise ForeignRow
        return key

    def store(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, value: Any, read: bool, key: Any = None
    ) -> tuple[int, int, None, str]:
        """The columns of a value: always the text itself."""
        if not isinstance(value, str):
            raise TypeError("values are text")
        return 0, MODE_RAW, None, value

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> str:
        """The value of a row's columns. ForeignRow when it is not plain text."""
        if mode != MODE_RAW or filename is not None or not isinstance(value, (str, bytes)):
            raise ForeignRow
        if len(value) > MAXIMUM_ROW:
            raise ForeignRow
        try:
            return value if isinstance(value, str) else value.decode()  # a long one was written as bytes
        except UnicodeDecodeError:
            raise ForeignRow from None

    def remove(self, file_path: str) -> None:
        """Nothing: our rows have no files, and a name in a foreign row must not delete one."""


class TextCache(diskcache.Cache):
    """The database itself; one that cannot be opened and read leaves no connection behind."""

    def __init__(self, folder: Path) -> None:
        self._made = False
        try:
            super().__init__(str(folder), timeout=BUSY_SECONDS, disk=TextDisk, **_SETTINGS)  # pyright: ignore[reportUnknownMemberType]
            self._sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            self.get("")  # pyright: ignore[reportUnknownMemberType] - a file that is no database says so now
        except BaseException:
            super().close()
            raise
        self._made = True

    def close(self) -> None:
        """Close the database. diskcache, too, calls this when it has made its tables, to open it with a timeout:
        setting that in the connection that is there takes half as long.
        """
        if self._made:
            super().close()
