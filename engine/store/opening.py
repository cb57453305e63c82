"""Opens the answer store. One that is no database of ours is moved aside; one that only cannot be opened now stays."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from engine.errors import StorageFailed
from engine.store.text_cache import DATABASE, ForeignRow, TextCache

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Somebody else is at work in it."""
_PASSING = _BUSY | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,  # also when too many files are open
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT,
}
"""What says nothing about what the database holds."""
_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")


def open_store(folder: Path) -> tuple[TextCache, str | None]:
    """The database of a store, and what people should hear of it. StorageFailed when it cannot be opened or made."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return TextCache(folder), None
    except (sqlite3.DatabaseError, ForeignRow, ValueError, TypeError) as error:
        if _code(error) in _PASSING:
            raise store_failed(folder, error) from error
        return _begun_anew(folder, error)
    except OSError as error:
        raise store_failed(folder, error) from error


def store_failed(
    folder: Path, error: Exception, what: str = "the answer store cannot be opened"
) -> StorageFailed:
    """What people are told, with the way out."""
    hint = "make the folder writable, or set XDG_CACHE_HOME to one that is"
    if _code(error) in _BUSY:
        hint = "try again when the other process is done with it"
    elif _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        hint = "see that its disk works and has room, or set XDG_CACHE_HOME to a folder elsewhere"
    return StorageFailed(what, where=str(folder), why=str(error), hint=f"{hint}; what is kept there stays")


def _begun_anew(folder: Path, error: Exception) -> tuple[TextCache, str]:
    number = 1
    while (aside := folder / f"damaged-{number}").exists():
        number += 1
    try:
        moved = _moved(folder, aside)
    except OSError as second:
        raise store_failed(folder, second) from second
    try:
        cache = TextCache(folder)
    except (sqlite3.Error, OSError) as second:
        with suppress(OSError):
            for name in _FILES:  # half made, where the old ones were
                (folder / name).unlink(missing_ok=True)
        _put_back(folder, aside, moved)
        raise store_failed(folder, second) from second
    return cache, f"the answer store was damaged ({error}); it was moved to {aside} and a new one begun"


def _moved(folder: Path, aside: Path) -> list[str]:
    """Move all that a store has; the names of it. OSError when not all can be moved: then nothing is."""
    moved: list[str] = []
    try:
        aside.mkdir()
        for name in (*_FILES, "texts"):
            if (folder / name).exists():
                (folder / name).replace(aside / name)
                moved.append(name)
    except OSError:
        _put_back(folder, aside, moved)
        raise
    return moved


def _put_back(folder: Path, aside: Path, moved: list[str]) -> None:
    """Whoever looks later finds it where it was: nothing was begun in its place."""
    with suppress(OSError):
        for name in moved:
            (aside / name).replace(folder / name)
        aside.rmdir()


def _code(error: Exception) -> int:
    """SQLite's own, without what it adds to it; 0 when it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
