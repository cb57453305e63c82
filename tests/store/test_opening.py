"""A store that only cannot be opened now stays where it is, and one that is damaged goes only for a new one."""

from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StorageFailed
from engine.store.cache import AnswerCache
from engine.store.text_cache import DATABASE, TextCache
from engine.store.upkeep import stats
from tests.store.rows_of import keep, kept

NO_DATABASE = b"not a database at all, but long enough to look at" * 50
_OPENS = """
import resource, sys
from pathlib import Path
from engine.errors import StorageFailed
from engine.store.cache import AnswerCache
import diskcache, sqlite3  # loaded before a file may be no larger
limit, value = sys.argv[2].split("=")
resource.setrlimit(getattr(resource, limit), (int(value), int(value)))
try:
    AnswerCache(Path(sys.argv[1]))
except StorageFailed as failed:
    print(failed)
"""


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file() and each.name not in ("cache.db-shm", "cache.db-wal")
    }


def refuse(monkeypatch: pytest.MonkeyPatch, code: int, first: int = 1) -> None:
    """From the `first` time on, opening a database fails with this code of SQLite's."""
    begin, times = TextCache.__init__, list[Path]()

    def fail(self: TextCache, folder: Path) -> None:
        times.append(folder)
        if len(times) < first:
            begin(self, folder)
            return
        (folder / "cache.db").write_bytes(b"half made")
        error = sqlite3.OperationalError("not now")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(TextCache, "__init__", fail)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.parametrize("limit", ["RLIMIT_FSIZE=20000", "RLIMIT_NOFILE=3"])
def test_a_process_that_may_not_open_it_leaves_a_store_as_it_is(tmp_path: Path, limit: str):
    keys = keep(tmp_path, *map(str, range(40)), value="said " * 500)
    before = content(tmp_path)
    command = [sys.executable, "-c", _OPENS, str(tmp_path), limit]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "the answer store cannot be opened" in done.stdout, done.stderr
    assert content(tmp_path) == before
    assert all(kept(tmp_path, key) for key in keys)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (sqlite3.SQLITE_FULL, "has room"),
        (sqlite3.SQLITE_IOERR | 3 << 8, "has room"),  # with what SQLite adds: which operation it was
        (sqlite3.SQLITE_CANTOPEN, "writable"),
        (sqlite3.SQLITE_READONLY, "writable"),
        (sqlite3.SQLITE_BUSY, "other process"),
    ],
)
def test_what_is_not_the_databases_fault_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, hint: str
):
    refuse(monkeypatch, code)
    with pytest.raises(StorageFailed) as failed:
        AnswerCache(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["cache.db"]
    assert hint in (failed.value.hint or "")


def test_a_damaged_store_stays_where_no_new_one_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keep(tmp_path, "a", value="x" * 100_000)
    (tmp_path / "cache.db").write_bytes(NO_DATABASE)
    before = content(tmp_path)
    refuse(monkeypatch, sqlite3.SQLITE_FULL, first=2)
    with pytest.raises(StorageFailed, match="cannot be opened"):
        AnswerCache(tmp_path)
    assert content(tmp_path) == before
    assert not (tmp_path / "damaged-1").exists()


@pytest.mark.parametrize("refused", ["damaged-1", "texts"], ids=["the folder beside it", "its last part"])
def test_a_damaged_store_that_cannot_be_moved_whole_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
):
    keep(tmp_path, "a", value="x" * 100_000)
    (tmp_path / "cache.db").write_bytes(NO_DATABASE)
    before = content(tmp_path)
    make, move = Path.mkdir, Path.replace

    def mkdir(path: Path, *how: Any, **named: Any) -> None:
        if path.name == refused:
            raise OSError(errno.ENOSPC, "no space")
        make(path, *how, **named)

    def replace(path: Path, target: Path) -> Path:
        if path.name == refused:
            raise OSError(errno.ENOSPC, "no space")
        return move(path, target)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(StorageFailed, match="cannot be opened"):
        AnswerCache(tmp_path)
    assert content(tmp_path) == before
    assert not (tmp_path / "damaged-1").exists()


def test_a_database_that_a_full_disk_left_empty_is_none_yet(tmp_path: Path):
    (tmp_path / DATABASE).touch()
    assert stats(tmp_path).answers == 0
