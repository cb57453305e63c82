"""Looks after an answer store: what is in it, whether it is sound, and what may go."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.step import Usage
from engine.store.rows import Row, opened, rows
from engine.store.text_cache import DATABASE
from engine.store.texts import Texts, size_of


class Stats(NamedTuple):
    """What a store holds. Sizes are in bytes, times in epoch seconds; `usage` is what the answers cost once."""

    answers: int
    unreadable: int
    size: int
    on_disk: int
    oldest: float | None
    newest: float | None
    runs: int
    providers: dict[str, int]
    usage: Usage


class Removed(NamedTuple):
    """What was taken out of a store, or would be."""

    answers: int
    size: int
    kept_for_runs: int
    """Answers that would have gone, were they not needed by runs that have not ended well."""


class Needed(NamedTuple):
    """What stays whatever its age: the answers under these keys, and all that these runs made."""

    keys: Collection[str] = ()
    runs: Collection[str] = ()

    def covers(self, key: str, run: str) -> bool:
        """Whether an answer stays."""
        return key in self.keys or run in self.runs


class Problem(NamedTuple):
    """A row that is no answer, and why. `key` is empty where even that cannot be said."""

    number: int
    key: str
    why: str


def stats(folder: Path) -> Stats:
    """Count what is there. StorageFailed when the database cannot be read."""
    answers = unreadable = size = 0
    made: list[float] = []
    runs: set[str] = set()
    providers: Counter[str] = Counter()
    usage = Usage()
    with opened(folder) as connection:
        for row in () if connection is None else rows(connection, Texts(folder)):
            size += row.size
            if row.kept is None:
                unreadable += 1
                continue
            answers += 1
            made = [min([*made, row.kept.made_at]), max([*made, row.kept.made_at])]
            runs.add(row.kept.run)
            providers[row.kept.provider] += 1
            usage += row.kept.usage.as_usage()
    oldest, newest = made or (None, None)
    return Stats(
        answers, unreadable, size, size_on_disk(folder), oldest, newest, len(runs), dict(providers), usage
    )


def size_on_disk(folder: Path) -> int:
    """Bytes of the database, its log and the long texts."""
    database = sum(size_of(folder / f"{DATABASE}{ending}") for ending in ("", "-wal"))
    return database + Texts(folder).size()


def verify(folder: Path, *, drop: bool) -> list[Problem]:
    """Every row that is no answer of ours; with `drop` they are deleted. StorageFailed on a damaged database."""
    with opened(folder) as connection:
        if connection is None:
            return []
        said = [text for (text,) in connection.execute("PRAGMA quick_check(3)")]
        if said != ["ok"]:
            raise sqlite3.DatabaseError("; ".join(said))
        texts = Texts(folder)
        bad = _unsound(connection, texts)
        if bad:  # one that was made anew just then was seen with the text of the other
            again = {(row.number, row.stored) for row in _unsound(connection, texts)}
            bad = [row for row in bad if (row.number, row.stored) in again]
        if drop:
            _delete(connection, [(row.number, row.stored) for row in bad], texts)
        return [Problem(row.number, row.key, row.problem) for row in bad]


def _unsound(connection: sqlite3.Connection, texts: Texts) -> list[Row]:
    return [row for row in _looked_into(rows(connection, texts), texts) if row.kept is None]


def _looked_into(found: Iterable[Row], texts: Texts) -> Iterator[Row]:
    """The rows, with long texts read whole: what is no text is no answer."""
    for row in found:
        try:
            if row.kept is not None and row.kept.long is not None:
                texts.read(row.key, row.kept.long)
            yield row
        except (OSError, ValueError):
            yield row._replace(kept=None, problem="its text cannot be read")


def prune(
    folder: Path,
    *,
    older_than: float | None = None,
    most: int | None = None,
    needed: Callable[[], Needed],
    pretend: bool = False,
) -> Removed:
    """Delete answers made before `older_than` (epoch seconds), then the oldest until `most` bytes are left.

    Rows that are no answers go too. `needed` says what stays. StorageFailed as above.
    """
    with opened(folder) as connection:
        if connection is None:
            return Removed(0, 0, 0)
        texts = Texts(folder)
        facts = [_Fact.of(row) for row in rows(connection, texts)]
        going = _going(facts, older_than, most)
        staying = needed() if going else Needed()
        gone = [fact for fact in going if not (fact.sound and staying.covers(fact.key, fact.run))]
        if not pretend:
            _delete(connection, [(fact.number, fact.stored) for fact in gone], texts)
            _shrink(connection, gone)
    return Removed(len(gone), sum(fact.size for fact in gone), len(going) - len(gone))


class _Fact(NamedTuple):
    number: int
    stored: float | None
    key: str
    size: int
    made_at: float
    run: str
    sound: bool

    @classmethod
    def of(cls, row: Row) -> _Fact:
        kept = row.kept
        made_at, run = (kept.made_at, kept.run) if kept else (0.0, "")
        return cls(row.number, row.stored, row.key, row.size, made_at, run, kept is not None)


def _going(facts: Sequence[_Fact], older_than: float | None, most: int | None) -> list[_Fact]:
    going = [
        fact for fact in facts if not fact.sound or (older_than is not None and fact.made_at < older_than)
    ]
    if most is not None:
        numbers = {fact.number for fact in going}
        left = sorted((fact for fact in facts if fact.number not in numbers), key=lambda fact: fact.made_at)
        size = sum(fact.size for fact in left)
        for fact in left:
            if size <= most:
                break
            going.append(fact)
            size -= fact.size
    return going


def _delete(connection: sqlite3.Connection, rows: Sequence[tuple[int, float | None]], texts: Texts) -> None:
    """Delete rows by number, as long as they are those that were looked at: an answer may have been made anew.

    Long texts that no row has any more go with them, while nobody else can write.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("DELETE FROM Cache WHERE rowid = ? AND store_time IS ?", rows)
        texts.keep_only({key for (key,) in connection.execute("SELECT key FROM Cache")})
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _shrink(connection: sqlite3.Connection, gone: Iterable[_Fact]) -> None:
    if any(gone):
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
