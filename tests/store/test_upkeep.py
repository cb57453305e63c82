"""What is in a store, whether it is sound, and what may go; on real databases, hostile ones among them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.step import Usage
from engine.store.upkeep import Needed, Removed, prune, size_on_disk, stats, verify
from tests.store.rows_of import keep, kept, spoil


def nobody() -> Needed:
    return Needed()


def test_a_store_that_is_not_there_yet_holds_nothing(tmp_path: Path):
    found = stats(tmp_path / "none")
    assert (found.answers, found.oldest, found.usage) == (0, None, Usage())
    assert verify(tmp_path / "none", drop=True) == []
    assert prune(tmp_path / "none", most=0, needed=nobody) == Removed(0, 0, 0)
    assert not (tmp_path / "none").exists()


def test_stats_count_answers_with_their_age_runs_and_cost(tmp_path: Path):
    keep(tmp_path, "a", "b", made_at=100.0, run="r1")
    keep(tmp_path, "c", made_at=300.0, run="r2")
    found = stats(tmp_path)
    assert (found.answers, found.unreadable, found.runs) == (3, 0, 2)
    assert (found.oldest, found.newest) == (100.0, 300.0)
    assert found.providers == {"fake": 3}
    assert found.usage == Usage(input_tokens=30, cost=1.5)
    assert 0 < found.size < found.on_disk == size_on_disk(tmp_path)


SPOILED = {
    "pickled": ("UPDATE Cache SET mode = 4, value = ? WHERE key = ?", pickle.dumps("x"), "not one of mco's"),
    "a number": ("UPDATE Cache SET value = ? WHERE key = ?", 7, "not one of mco's"),
    "in a file": ("UPDATE Cache SET filename = ? WHERE key = ?", "/etc/passwd", "not one of mco's"),
    "no JSON": ("UPDATE Cache SET value = ? WHERE key = ?", "{", "it is no answer"),
    "no answer": ("UPDATE Cache SET value = ? WHERE key = ?", '{"value": 1}', "it is no answer"),
    "newer": (
        "UPDATE Cache SET value = replace(value, '\"version\":3', ?) WHERE key = ?",
        '"version":99',
        "a newer mco",
    ),
    "another prompt": (
        'UPDATE Cache SET value = replace(value, \'"prompt":"b"\', ?) WHERE key = ?',
        '"prompt":"c"',
        "its key is not that of its parts",
    ),
    "no second line": (
        "UPDATE Cache SET value = substr(value, 1, instr(value, char(10)) - ?) WHERE key = ?",
        1,
        "what its key was made of",
    ),
    "no parts": (
        "UPDATE Cache SET value = substr(value, 1, instr(value, char(10))) || ? WHERE key = ?",
        "null",
        "what its key was made of",
    ),
    "parts that are no JSON": (
        "UPDATE Cache SET value = substr(value, 1, instr(value, char(10))) || ? WHERE key = ?",
        '{"prompt":',
        "what its key was made of",
    ),
    "a third line": (
        "UPDATE Cache SET value = value || char(10) || ? WHERE key = ?",
        "{}",
        "what its key was made of",
    ),
    "no text": ("UPDATE Cache SET value = CAST(? AS TEXT) WHERE key = ?", b"\xff\xfe", "no text"),
    "a foreign key": ("UPDATE Cache SET key = ? WHERE key = ?", "k" * 5000, "not one of mco's"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_row_that_is_no_answer_is_found_and_can_be_dropped(tmp_path: Path, name: str):
    sql, value, why = SPOILED[name]
    good, bad = keep(tmp_path, "a", "b")
    spoil(tmp_path, sql, value, bad)

    (problem,) = verify(tmp_path, drop=False)
    assert why in problem.why
    assert (stats(tmp_path).answers, stats(tmp_path).unreadable) == (1, 1)

    assert len(verify(tmp_path, drop=True)) == 1
    assert verify(tmp_path, drop=False) == []
    assert kept(tmp_path, good)


def test_a_database_that_is_none_is_an_error_with_a_way_out(tmp_path: Path):
    (tmp_path / "cache.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageFailed, match="cannot be used") as caught:
        stats(tmp_path)
    assert "moved aside" in (caught.value.hint or "")


def test_a_truncated_database_is_an_error_and_no_crash(tmp_path: Path):
    keep(tmp_path, *(f"prompt {number}" for number in range(200)))
    database = tmp_path / "cache.db"
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    with pytest.raises(StorageFailed):
        verify(tmp_path, drop=False)


def test_what_is_too_old_goes_and_the_rest_stays(tmp_path: Path):
    (old,) = keep(tmp_path, "old", made_at=100.0)
    (young,) = keep(tmp_path, "young", made_at=300.0)
    removed = prune(tmp_path, older_than=200.0, needed=nobody)
    assert (removed.answers, removed.kept_for_runs) == (1, 0)
    assert not kept(tmp_path, old)
    assert kept(tmp_path, young)


def test_the_oldest_go_until_it_is_small_enough(tmp_path: Path):
    keys = [
        keep(tmp_path, f"p{number}", made_at=float(number), value="x" * 10_000)[0] for number in range(10)
    ]
    removed = prune(tmp_path, most=45_000, needed=nobody)
    assert removed.answers == 6
    assert [kept(tmp_path, key) for key in keys] == [False] * 6 + [True] * 4


def test_the_file_shrinks_with_what_is_in_it(tmp_path: Path):
    keep(tmp_path, *(f"p{number}" for number in range(100)), value="x" * 10_000)
    before = size_on_disk(tmp_path)
    prune(tmp_path, most=0, needed=nobody)
    assert size_on_disk(tmp_path) < before / 5


def test_what_an_unfinished_run_needs_stays_however_old(tmp_path: Path):
    needed, other = keep(tmp_path, "needed", "other", made_at=1.0)
    removed = prune(tmp_path, older_than=100.0, most=0, needed=lambda: Needed(keys={needed}))
    assert (removed.answers, removed.kept_for_runs) == (1, 1)
    assert kept(tmp_path, needed)
    assert not kept(tmp_path, other)


def test_all_that_an_unfinished_run_made_stays(tmp_path: Path):
    (part,) = keep(tmp_path, "a share of an answer", run="unfinished")
    keep(tmp_path, "other", run="done")
    removed = prune(tmp_path, most=0, needed=lambda: Needed(runs={"unfinished"}))
    assert (removed.answers, removed.kept_for_runs) == (1, 1)
    assert kept(tmp_path, part)


def test_runs_are_not_looked_through_when_nothing_is_to_go(tmp_path: Path):
    keep(tmp_path, "a", made_at=100.0)

    def looked() -> Needed:
        raise AssertionError("nobody is to be asked")

    assert prune(tmp_path, older_than=50.0, most=10_000, needed=looked).answers == 0


def test_pretending_deletes_nothing(tmp_path: Path):
    (key,) = keep(tmp_path, "a")
    assert prune(tmp_path, most=0, needed=nobody, pretend=True).answers == 1
    assert kept(tmp_path, key)


def test_an_answer_that_was_made_anew_meanwhile_stays(tmp_path: Path):
    (key,) = keep(tmp_path, "a", made_at=1.0)

    def another_run_asks_again() -> Needed:
        keep(tmp_path, "a", made_at=500.0)
        return Needed()

    prune(tmp_path, older_than=100.0, needed=another_run_asks_again)
    assert kept(tmp_path, key)
