"""The answer store on a real diskcache, with hostile and broken databases."""

from __future__ import annotations

import pickle
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StorageFailed
from engine.step import Answer, Key, Usage
from engine.store.cache import AnswerCache

KEY = Key("a" * 64, {"prompt": "p", "occurrence": 1})
ANSWER = Answer(
    value={"n": [1, "é"]}, usage=Usage(input_tokens=3, cost=0.5), provider="fake", model="m", seconds=2.0
)


@pytest.fixture(autouse=True)
def stores_are_closed(monkeypatch: pytest.MonkeyPatch):
    """Whatever a test opened is closed after it: Python 3.13 warns of a database that is left open."""
    opened: list[AnswerCache] = []
    begin = AnswerCache.__init__

    def remember(self: AnswerCache, folder: Path) -> None:
        begin(self, folder)
        opened.append(self)

    monkeypatch.setattr(AnswerCache, "__init__", remember)
    yield
    for cache in opened:
        cache.close()


def row(folder: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(folder / "cache.db") as connection:
        connection.execute(sql, values)
    connection.close()


def kept(folder: Path) -> AnswerCache:
    cache = AnswerCache(folder)
    cache.put(KEY, ANSWER, run="r1", made_at=100.0)
    cache.close()
    return AnswerCache(folder)


def test_what_was_put_is_found_by_another_process_with_all_its_facts(tmp_path: Path):
    found = kept(tmp_path).get(KEY.digest)
    assert found is not None
    assert (found.answer(), found.run, found.made_at) == (ANSWER, "r1", 100.0)


def test_an_unknown_key_has_no_answer(tmp_path: Path):
    cache = AnswerCache(tmp_path)
    assert cache.get("b" * 64) is None
    assert cache.warnings == []


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize("mode", [1, 2, 3, 4, 99])
def test_a_pickled_row_is_never_executed(tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    cache = kept(tmp_path / "store")
    row(tmp_path / "store", "UPDATE Cache SET mode = ?, value = ?", mode, pickle.dumps(Bomb()))
    assert cache.get(KEY.digest) is None
    assert "could not be read" in cache.warnings[0]
    assert not (tmp_path / "exploded").exists()


def test_a_row_that_names_a_file_opens_none_and_deletes_none(tmp_path: Path):
    cache = kept(tmp_path / "store")
    outside = tmp_path / "outside.txt"
    outside.write_text('{"value": "stolen"}')
    row(tmp_path / "store", "UPDATE Cache SET mode = 3, value = NULL, filename = '../outside.txt'")
    assert cache.get(KEY.digest) is None
    cache.put(KEY, ANSWER, run="r2", made_at=200.0)
    found = cache.get(KEY.digest)
    assert found is not None
    assert found.run == "r2"
    assert outside.exists()


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"value": 1}', '{"value": 1, "provider": 5, "run": 1, "made_at": "x"}']
)
def test_text_that_is_no_answer_is_no_answer(tmp_path: Path, text: str):
    cache = kept(tmp_path)
    row(tmp_path, "UPDATE Cache SET value = ?", text)
    assert cache.get(KEY.digest) is None
    assert len(cache.warnings) == 1


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look at" * 50, b"\0" * 5000])
def test_a_corrupt_database_is_moved_aside_and_a_new_one_begun(tmp_path: Path, content: bytes):
    kept(tmp_path).close()
    for name in ("cache.db-wal", "cache.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "cache.db").write_bytes(content)
    cache = AnswerCache(tmp_path)
    assert cache.get(KEY.digest) is None
    assert "was damaged" in cache.warnings[0]
    assert (tmp_path / "damaged-1" / "cache.db").read_bytes() == content
    cache.put(KEY, ANSWER, run="r2", made_at=1.0)
    assert cache.get(KEY.digest) is not None


def test_a_truncated_database_loses_rows_but_never_the_run(tmp_path: Path):
    kept(tmp_path).close()
    data = (tmp_path / "cache.db").read_bytes()
    (tmp_path / "cache.db").write_bytes(data[: len(data) // 2])
    cache = AnswerCache(tmp_path)
    cache.put(KEY, ANSWER, run="r2", made_at=1.0)
    assert cache.warnings


def test_a_store_that_cannot_be_made_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed) as caught:
        AnswerCache(tmp_path / "file" / "store")
    assert caught.value.hint


def test_a_database_that_another_process_keeps_to_itself_is_a_warning(tmp_path: Path):
    cache = kept(tmp_path)
    other = sqlite3.connect(tmp_path / "cache.db", isolation_level=None)
    with closing(other), closing(cache):
        cache.get(KEY.digest)
        assert cache._cache._con.execute("PRAGMA busy_timeout").fetchone() == (10_000,)
        cache._cache._con.execute("PRAGMA busy_timeout = 1")  # for once not ten seconds
        other.execute("BEGIN IMMEDIATE")
        cache.put(Key("b" * 64, {}), ANSWER, run="r", made_at=1.0)
        assert "could not be kept for later runs: another process" in cache.warnings[0]


def test_a_database_that_is_none_is_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[sqlite3.Connection] = []
    real = sqlite3.connect

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        opened.append(real(*args, **options))
        return opened[-1]

    (tmp_path / "cache.db").write_bytes(b"not a database at all, but long enough to look at" * 50)
    monkeypatch.setattr(sqlite3, "connect", connect)
    AnswerCache(tmp_path).close()
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_a_database_that_refuses_writes_is_a_warning(tmp_path: Path):
    cache = kept(tmp_path)
    row(tmp_path, "CREATE TRIGGER full BEFORE INSERT ON Cache BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    cache.put(Key("b" * 64, {}), ANSWER, run="r", made_at=1.0)
    assert "could not be kept" in cache.warnings[0]
