"""Answers by key, in a diskcache that holds JSON text only.

diskcache would pickle whatever is not text; a database can be handed to us by anybody who can write to the user's
cache folder, so our Disk neither pickles nor unpickles, opens no file that a row names, and takes no row but text.

Of a long text the row has the size only: it lies in a file beside the database, which takes a tenth of the time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import MODE_RAW

from engine.errors import StorageFailed
from engine.record.long_text import is_long, pieces
from engine.step import Answer, Key
from engine.store.group_put import Fresh
from engine.store.kept import MAXIMUM_ROW, ROW_VERSION, KeptAnswer, answer_in, kept_of, row_of
from engine.store.texts import Texts, sync_file

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


_TOO_LARGE = "an answer is too large to be kept for later runs: it will be made anew"
_BUSY_SECONDS = 10
"""How long another process may keep the database to itself."""
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Somebody else is at work in a database that is whole."""


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
            super().__init__(str(folder), timeout=_BUSY_SECONDS, disk=TextDisk, **_SETTINGS)  # pyright: ignore[reportUnknownMemberType]
            self._sql(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
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


class AnswerCache:
    """The answers kept on this machine. `warnings` has what was wrong with the store, for people.

    Opening moves a database that is not one aside and begins a new one; StorageFailed when neither can be done.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        self._texts = Texts(folder)
        self._sync_failed = False
        self._cache: Any = self._open()  # diskcache has no types

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
        text: str | None = self._cache.get(key)
        if text is None:
            return None
        kept = answer_in(text)
        if kept.version > ROW_VERSION:
            raise ForeignRow
        if kept.long is None:
            return kept
        return kept.model_copy(update={"value": self._texts.read(key, kept.long), "long": None})

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
            if key in self._cache:
                return False
            if is_long(kept.value):
                self._put_long(key, kept, kept.value)
            else:
                self._cache.set(key, row_of(kept))
        except (sqlite3.Error, OSError, diskcache.Timeout) as error:
            raise self._failed(error) from error
        return True

    @contextmanager
    def together(self) -> Generator[None]:
        """What is kept inside is kept all or none. StorageFailed when another process has the store to itself."""
        try:
            with self._cache.transact():
                yield
        except (sqlite3.Error, diskcache.Timeout) as error:
            raise self._failed(error) from error

    def sync(self) -> None:
        """Have the disk itself take what was put: an answer that took long is not to be lost with the power.

        May be called in another thread; that a disk fails is a warning, once.
        """
        try:
            self._texts.sync()
            with suppress(FileNotFoundError):
                sync_file(self.folder / "cache.db-wal")
        except OSError as error:
            if not self._sync_failed:
                why = error.strerror or str(error)
                self.warnings.append(f"a power failure may take new answers away, the disk fails: {why}")
            self._sync_failed = True

    def close(self) -> None:
        """Close the database."""
        self._cache.close()

    def _open(self) -> Any:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return TextCache(self.folder)
        except (sqlite3.DatabaseError, ForeignRow, ValueError, TypeError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
                raise self._failed(error) from error
            return self._begin_anew(error)
        except OSError as error:
            raise self._failed(error) from error

    def _begin_anew(self, error: Exception) -> Any:
        number = 1
        while (aside := self.folder / f"damaged-{number}").exists():
            number += 1
        try:
            aside.mkdir()
            for name in ("cache.db", "cache.db-wal", "cache.db-shm", "texts"):
                if (self.folder / name).exists():
                    (self.folder / name).replace(aside / name)
            cache = TextCache(self.folder)
        except (sqlite3.Error, OSError) as second:
            raise self._failed(second) from second
        self.warnings.append(
            f"the answer store was damaged ({error}); it was moved to {aside} and a new one begun"
        )
        return cache

    def _failed(self, error: Exception) -> StorageFailed:
        return StorageFailed(
            "the answer store cannot be opened",
            where=str(self.folder),
            why=str(error),
            hint="make the folder writable, or set XDG_CACHE_HOME to one that is",
        )


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
