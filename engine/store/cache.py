"""Answers by key, in a database that holds JSON text only.

Of a long text the row has the size only: it lies in a file beside the database, which takes a tenth of the time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import diskcache

from engine.errors import StorageFailed
from engine.record.long_text import is_long, pieces
from engine.step import Answer, Key
from engine.store.group_put import Fresh
from engine.store.kept import MAXIMUM_ROW, ROW_VERSION, KeptAnswer, answer_in, kept_of, row_of
from engine.store.opening import open_store, store_failed
from engine.store.text_cache import DATABASE, ForeignRow
from engine.store.texts import Texts, sync_file

_TOO_LARGE = "an answer is too large to be kept for later runs: it will be made anew"


class AnswerCache:
    """The answers kept on this machine. `warnings` has what was wrong with the store, for people.

    Opening moves a database that is damaged aside and begins a new one. StorageFailed when it cannot be opened now,
    or no new one made: what is there stays.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        self._texts = Texts(folder)
        self._sync_failed = False
        self._added_texts: list[str] = []
        self._cache: Any  # diskcache has no types
        self._cache, warning = open_store(folder)
        if warning is not None:
            self.warnings.append(warning)

    def get(self, key: str) -> KeptAnswer | None:
        """The answer kept under a key (a hex digest), or None. A row that cannot be trusted is no answer."""
        try:
            try:
                return self._look(key)
            except (ValueError, OSError):
                with self._cache.transact():  # nobody is just now putting another text in its place
                    return self._look(key)
        except (ForeignRow, ValueError, OSError, diskcache.Timeout):
            self.warnings.append(f"a kept answer could not be read and is made anew (key {key[:12]}…)")
        except sqlite3.Error as error:
            self.warnings.append(f"the answer store could not be read: {error}")
        return None

    def _look(self, key: str) -> KeptAnswer | None:
        """The answer, with its text where that is long. ForeignRow, ValueError or OSError when it is none."""
        kept = self._row(key)
        if kept is None:
            return None
        if kept.version > ROW_VERSION:
            raise ForeignRow
        if kept.long is None:
            return kept
        return kept.model_copy(update={"value": self._texts.read(key, kept.long), "long": None})

    def _row(self, key: str) -> KeptAnswer | None:
        """What the row of a key says. ForeignRow or ValueError when it is none of ours."""
        text: str | None = self._cache.get(key)
        return None if text is None else answer_in(text)

    def put(self, key: Key, answer: Answer, *, run: str, made_at: float) -> None:
        """Keep an answer. A full disk or a broken database costs the reuse, not the run: it is a warning."""
        self.put_all([Fresh(key, answer, made_at)], run)

    def put_all(self, fresh: Sequence[Fresh], run: str) -> None:
        """Keep answers, all or none of them; otherwise as above.

        Those with a long one among them are kept each alone: its text is there at once, and could not be taken back
        with what another has spoilt.
        """
        if len(fresh) > 1 and any(is_long(one.answer.value) for one in fresh):
            for one in fresh:
                self.put_all([one], run)
            return
        try:
            # A long one's row and text come together; a short one alone has diskcache's own transaction.
            apart = len(fresh) == 1 and not is_long(fresh[0].answer.value)
            with nullcontext() if apart else self._cache.transact():
                for one in fresh:
                    self._put(one, run)
        except (sqlite3.Error, OSError, diskcache.Timeout) as error:
            what = "an answer" if len(fresh) == 1 else f"{len(fresh)} answers"
            self.warnings.append(f"{what} could not be kept for later runs: {_why(error)}")

    def _put(self, fresh: Fresh, run: str) -> None:
        row = kept_of(fresh, run)
        if is_long(fresh.answer.value):
            self._put_long(fresh.key.digest, row, fresh.answer.value)
        elif _is_too_large(text := row_of(row)):
            self.warnings.append(_TOO_LARGE)
        else:
            self._cache.set(fresh.key.digest, text)

    def _put_long(self, key: str, row: KeptAnswer, text: str) -> None:
        """Keep a row and its text, within a transaction."""
        if _is_too_large(text):
            self.warnings.append(_TOO_LARGE)
            return
        size = self._texts.keep(key, text)
        self._cache.set(key, row_of(row.model_copy(update={"value": "", "long": size})))

    def add(self, key: str, kept: KeptAnswer) -> bool:
        """Keep an answer that is known to be one of ours, unless the key has one; whether it was new here.

        To be called within `together`.
        """
        try:
            if self._has(key):
                return False
            if is_long(kept.value):
                self._added_texts.append(key)
                self._put_long(key, kept, kept.value)
            else:
                self._cache.set(key, row_of(kept))
        except (sqlite3.Error, OSError, diskcache.Timeout) as error:
            raise self._failed(error) from error
        return True

    def _has(self, key: str) -> bool:
        """Whether an answer is kept, of a long one with its text."""
        try:
            kept = self._row(key)
        except (ForeignRow, ValueError):
            return False
        return kept is not None and (kept.long is None or self._texts.has(key, kept.long))

    @contextmanager
    def together(self) -> Generator[None]:
        """What is kept inside is kept all or none. StorageFailed when another process has the store to itself."""
        self._added_texts.clear()
        try:
            with self._cache.transact():
                yield
        except BaseException as error:
            self._texts.drop(self._added_texts)  # the database takes back only its rows
            if isinstance(error, (sqlite3.Error, diskcache.Timeout)):
                raise self._failed(error) from error
            raise

    def sync(self) -> None:
        """Have the disk itself take what was put: an answer that took long is not to be lost with the power.

        May be called in another thread; that a disk fails is a warning, once.
        """
        try:
            self._texts.sync()
            with suppress(FileNotFoundError):
                sync_file(self.folder / f"{DATABASE}-wal")
        except OSError as error:
            if not self._sync_failed:
                why = error.strerror or str(error)
                self.warnings.append(f"a power failure may take new answers away, the disk fails: {why}")
            self._sync_failed = True

    def close(self) -> None:
        """Close the database."""
        self._cache.close()

    def _failed(self, error: Exception) -> StorageFailed:
        return store_failed(self.folder, error, "the answers cannot be kept")


def _why(error: Exception) -> str:
    """What went wrong, and not that a transaction that failed could not be taken back."""
    if isinstance(error, diskcache.Timeout):
        return "another process keeps the store to itself"
    first = error.__context__
    taken_back = isinstance(error, sqlite3.Error) and isinstance(first, (sqlite3.Error, OSError))
    return str(first if taken_back else error)


def _is_too_large(text: str) -> bool:
    """By its bytes, which are counted only where there may be too many: a character has four at the most."""
    return len(text) * 4 > MAXIMUM_ROW and sum(map(len, pieces(text))) > MAXIMUM_ROW
