"""The full-text index of a workspace: SQLite FTS5 in a file of the cache folder, brought up to date file by file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.providers.builtin.documents import Kind, kind_of, read_document
from engine.providers.builtin.passages import passages

VERSION = 1
"""Raised when the tables or the cutting of passages change: an index of another version is built anew."""
BATCH = 32
"""Files a transaction: small, so that another process waits little and a cancelled search keeps what is done."""
WAIT_SECONDS = 60.0
MARK, UNMARK = "\x02", "\x03"
"""Stand around the words of a passage that the query found."""

_TABLES = """
DROP TABLE IF EXISTS files;
DROP TABLE IF EXISTS places;
DROP TABLE IF EXISTS passages;
CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, content TEXT NOT NULL);
CREATE TABLE places (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, kind TEXT NOT NULL
);
CREATE INDEX places_of_file ON places (file);
CREATE VIRTUAL TABLE passages USING fts5 (text, heading, tokenize = 'porter unicode61');
"""
_FIND = """
SELECT files.path, places.first, places.last, places.kind, passages.heading, passages.text,
       highlight(passages, 0, ?, ?), -bm25(passages, 1.0, 0.5) AS score
FROM passages JOIN places ON places.id = passages.rowid JOIN files ON files.id = places.file
WHERE passages MATCH ? AND (? = '' OR files.path = ? OR substr(files.path, 1, ?) = ?)
ORDER BY score DESC, files.path, places.first LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a query found; `marked` is its text with the found words marked. More `score` is better."""

    file: str
    first: int
    last: int
    kind: Kind
    heading: str
    text: str
    marked: str
    score: float


class Index:
    """One open index. Safe for several processes: every change is a transaction that looks again before it writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def update(
        self, root: Path, files: Mapping[str, str], below: str, checkpoint: Callable[[], None]
    ) -> None:
        """Make it say what `files` (path to content id) say, for everything at or below the path `below`.

        `checkpoint` is called between files and may raise; what is finished by then stays.
        """
        known = dict(self._db.execute("SELECT path, content FROM files").fetchall())
        gone = [path for path in known if path not in files and is_below(path, below)]
        changed = [path for path, content in files.items() if known.get(path) != content]
        for start in range(0, len(gone), BATCH):
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                for path in gone[start : start + BATCH]:
                    self._forget(path)
        for start in range(0, len(changed), BATCH):
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                for path in changed[start : start + BATCH]:
                    checkpoint()
                    self._learn(root, path, files[path])

    def find(self, query: str, below: str, limit: int) -> list[Hit]:
        """The best passages for an FTS5 query, at or below a path (empty: everywhere), the best first."""
        prefix = f"{below}/"
        rows = self._db.execute(_FIND, (MARK, UNMARK, query, below, below, len(prefix), prefix, limit))
        return [Hit(*row) for row in rows]

    def _learn(self, root: Path, path: str, content: str) -> None:
        row = self._db.execute("SELECT content FROM files WHERE path = ?", (path,)).fetchone()
        if row is not None and row[0] == content:
            return  # another process was quicker
        self._forget(path)
        cursor = self._db.execute("INSERT INTO files (path, content) VALUES (?, ?)", (path, content))
        self._add_passages(cursor.lastrowid, root / path, path)

    def _add_passages(self, file: int | None, path: Path, name: str) -> None:
        kind, document = kind_of(name), read_document(path)
        if kind is None or document is None:
            return
        for each in passages(document, kind):
            cursor = self._db.execute(
                "INSERT INTO places (file, first, last, kind) VALUES (?, ?, ?, ?)",
                (file, each.first, each.last, each.kind),
            )
            self._db.execute(
                "INSERT INTO passages (rowid, text, heading) VALUES (?, ?, ?)",
                (cursor.lastrowid, each.text, each.heading),
            )

    def _forget(self, path: str) -> None:
        row = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if row is None:
            return
        self._db.execute("DELETE FROM passages WHERE rowid IN (SELECT id FROM places WHERE file = ?)", row)
        self._db.execute("DELETE FROM places WHERE file = ?", row)
        self._db.execute("DELETE FROM files WHERE id = ?", row)


def is_below(path: str, below: str) -> bool:
    """Whether a path is `below` or under it; everything is below the empty path."""
    return not below or path == below or path.startswith(f"{below}/")


@contextlib.contextmanager
def open_index(path: Path | None) -> Generator[Index]:
    """The index at a path, made where there is none; None: in memory. sqlite3.Error when the file is of no use."""
    with contextlib.closing(_connect(path)) as connection:
        yield Index(connection)


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is None:
        return _prepare(sqlite3.connect(":memory:", isolation_level=None))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _prepare(sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None))


def _prepare(connection: sqlite3.Connection) -> sqlite3.Connection:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # a lost cache is built again
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")


def is_damage(error: Exception) -> bool:
    """Whether the file itself is broken or foreign, so that only a new one helps."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def remove(path: Path) -> None:
    """Delete an index with its side files; a process that has it open keeps its own copy until it closes."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
