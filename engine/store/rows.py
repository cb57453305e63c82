"""The rows of an answer store as they are, for those who look after it: none is trusted, and none is decoded twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from diskcache.core import MODE_RAW
from pydantic import ValidationError

from engine.errors import StorageFailed
from engine.step import key_digest
from engine.store.kept import MAXIMUM_ROW, ROW_VERSION, KeptAnswer, whole_answer_in
from engine.store.text_cache import BUSY_SECONDS, DATABASE
from engine.store.texts import Texts


class Row(NamedTuple):
    """One row: its number in the database, key, size in bytes with that of a long text, and the answer, or why none."""

    number: int
    key: str
    size: int
    kept: KeptAnswer | None
    problem: str = ""
    text: str = ""
    """The row as it stands, where it holds an answer."""
    stored: float | None = None
    """When it was written, in epoch seconds by the database; whatever a foreign row says."""


@contextmanager
def opened(folder: Path) -> Generator[sqlite3.Connection | None]:
    """The database of a store, None when there is none yet. StorageFailed when it cannot be read or changed."""
    path = folder / DATABASE
    if not path.is_file() or path.stat().st_size == 0:  # made on a full disk
        yield None
        return
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise _failed(path, error) from error
    try:
        # What stands in the file is anybody's: neither functions nor malformed pages in it are believed.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        yield connection
    except sqlite3.Error as error:
        raise _failed(path, error) from error
    finally:
        connection.close()


def rows(connection: sqlite3.Connection, texts: Texts) -> Iterator[Row]:
    """All rows, one at a time; those that cannot be answers of ours are never read whole, and long texts not at all."""
    numbers = connection.execute(
        "SELECT rowid, typeof(key) = 'text' AND length(CAST(key AS BLOB)) = 64 AND raw AND mode = ?"
        " AND filename IS NULL AND typeof(value) IN ('text', 'blob'), length(CAST(value AS BLOB)), store_time"
        " FROM Cache ORDER BY rowid",
        (MODE_RAW,),
    )
    for number, is_ours, size, stored in numbers:
        if not is_ours:
            yield Row(number, "", size or 0, None, "it is not one of mco's rows", stored=stored)
        elif size > MAXIMUM_ROW:
            yield Row(number, "", size, None, "it is larger than an answer can be", stored=stored)
        else:
            yield _read(connection, texts, number, size)._replace(stored=stored)


def _read(connection: sqlite3.Connection, texts: Texts, number: int, size: int) -> Row:
    both = "SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM Cache WHERE rowid = ?"
    found: Any = connection.execute(both, (number,)).fetchone()
    if found is None:  # another process was quicker
        return Row(number, "", 0, None, "it is gone")
    try:
        key, text = (column.decode() for column in found)
    except UnicodeDecodeError:
        return Row(number, "", size, None, "it is no text")
    kept, problem = read_row(key, text)
    if kept is not None and kept.long is not None:
        if texts.has(key, kept.long):
            size += kept.long
        else:  # a foreign row may say any size
            kept, problem = None, "its text is missing, or another one"
    return Row(number, key, size, kept, problem, "" if kept is None else text)


def read_row(key: str, text: str) -> tuple[KeptAnswer | None, str]:
    """The answer in a row's text, or why there is none: it must be whole, and its parts must make its key."""
    try:
        kept = whole_answer_in(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return None, f"it is no answer: {first['msg']}"
    except ValueError:
        return None, "it does not say what its key was made of"
    if kept.version > ROW_VERSION:
        return None, "a newer mco wrote it"
    try:
        made = key_digest(kept.parts)
    except (ValueError, TypeError, RecursionError):
        return None, "it does not say what its key was made of"
    return (kept, "") if made == key else (None, "its key is not that of its parts")


def _failed(path: Path, error: sqlite3.Error) -> StorageFailed:
    return StorageFailed(
        "the answer store cannot be used",
        where=str(path),
        why=str(error),
        hint="try again when no run is at work; a damaged store is moved aside and begun anew by the next run",
    )
