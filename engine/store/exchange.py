"""Answers as a file for a colleague or for CI: JSON lines with the SHA-256 of all of them at the end.

The first line says what the file is, the last `{"rows", "sha256"}`; in between stands one answer a line, under a key
that must be the one its parts make. Nothing is taken from a file that is torn or altered.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from engine.errors import StorageFailed, UsageError
from engine.json_value import is_object
from engine.store.cache import AnswerCache
from engine.store.kept import MAXIMUM_ROW, KeptAnswer, row_of
from engine.store.rows import Row, opened, read_row, rows
from engine.store.texts import Texts

KIND = "mco answers"
VERSION = 2
"""Until 1 the rows were of one line; those are read as well."""
_LONGEST_LINE = MAXIMUM_ROW * 7
"""A text in a row that is a JSON string itself: a control character, which is escaped twice, takes seven bytes."""
_FOREIGN = "it does not begin as a file of `mco cache export` does"


class Taken(NamedTuple):
    """What an import did: answers that are new here, and those that were there before and stay as they were."""

    added: int
    known: int


def export(folder: Path, target: Path, *, wanted: Callable[[str], bool] = lambda key: True) -> int:
    """Write the answers under `wanted` keys into a file, in one move; how many. StorageFailed when it cannot."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)  # it may be a link to elsewhere
        with draft.open("xb") as file:
            count = _write(folder, file, wanted)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        raise StorageFailed(
            "the answers cannot be written",
            where=str(target),
            why=error.strerror or str(error),
            hint="name a file in a folder that is writable and has room",
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return count


def _write(folder: Path, file: BinaryIO, wanted: Callable[[str], bool]) -> int:
    digest = hashlib.sha256()

    def write(line: dict[str, Any]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        digest.update(data)
        file.write(data)

    count = 0
    write({"kind": KIND, "version": VERSION})
    texts = Texts(folder)
    with opened(folder) as connection:
        for row in () if connection is None else rows(connection, texts):
            if row.kept is not None and wanted(row.key) and (whole := _whole(row, row.kept, texts)):
                write({"key": row.key, "row": whole})
                count += 1
    write({"rows": count, "sha256": digest.hexdigest()})
    return count


def _whole(row: Row, kept: KeptAnswer, texts: Texts) -> str:
    """A row with its text in it, where that is long; empty when there is no such text."""
    if kept.long is None:
        return row.text
    try:
        return row_of(kept.model_copy(update={"value": texts.read(row.key, kept.long), "long": None}))
    except (OSError, ValueError):
        return ""


def take_in(folder: Path, source: Path) -> Taken:
    """Add a file's answers to a store, all or none. UsageError when it is not whole; StorageFailed as of the store."""
    try:
        with source.open("rb") as file, closing(AnswerCache(folder)) as cache, cache.together():
            return _take(cache, _Reader(file, source))
    except OSError as error:
        raise UsageError("the file cannot be read", where=str(source), why=error.strerror) from None


def _take(cache: AnswerCache, reader: _Reader) -> Taken:
    added = known = 0
    for key, kept in reader.answers():
        if cache.add(key, kept):
            added += 1
        else:
            known += 1
    return Taken(added, known)


class _Reader:
    """Reads the lines and believes none: what is wrong with the file is a UsageError with the line."""

    def __init__(self, file: BinaryIO, source: Path) -> None:
        self._file = file
        self._source = source
        self._number = 0
        self._digest = hashlib.sha256()

    def answers(self) -> Iterator[tuple[str, KeptAnswer]]:
        """Keys and answers; the last one is out only when the whole file has proved to be what was written."""
        first = self._next()
        if first is None or first.get("kind") != KIND:
            raise self._wrong(_FOREIGN)
        if first.get("version") not in (1, VERSION):
            raise self._wrong("another version of mco wrote it", hint="update mco")
        count = 0
        while True:
            before = self._digest.hexdigest()
            line = self._next()
            if line is None:
                raise self._wrong("its end is missing")
            if "sha256" in line:
                break
            yield self._answer(line)
            count += 1
        if (line.get("rows"), line.get("sha256")) != (count, before):
            raise self._wrong("its hash does not fit: it was altered")
        if self._file.read(1):
            raise self._wrong("something follows its end")

    def _answer(self, line: Mapping[str, Any]) -> tuple[str, KeptAnswer]:
        key, text = line.get("key"), line.get("row")
        if not isinstance(key, str) or not isinstance(text, str):
            raise self._wrong("it is no answer")
        kept, problem = read_row(key, text)
        if kept is None:
            raise self._wrong(problem)
        if kept.long is not None:
            raise self._wrong("its text is not in it")
        return key, kept

    def _next(self) -> Mapping[str, Any] | None:
        data = self._file.readline(_LONGEST_LINE)
        if not data:
            return None
        self._number += 1
        self._digest.update(data)
        try:
            line: Any = json.loads(data)
        except (ValueError, RecursionError):
            raise self._wrong("it is not JSON" if self._number > 1 else _FOREIGN) from None
        if not data.endswith(b"\n") or not is_object(line):
            raise self._wrong("it is not whole" if self._number > 1 else _FOREIGN)
        return line

    def _wrong(self, why: str, hint: str = "ask for the file again; nothing of it was taken") -> UsageError:
        return UsageError(
            "these answers cannot be taken in", where=f"{self._source}:{self._number}", why=why, hint=hint
        )
