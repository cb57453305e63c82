"""Answers that come in the same moment are kept together, and nobody is told before his own is there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from engine.record.long_text import LONG
from engine.step import Answer
from engine.store.cache import AnswerCache
from engine.store.group_put import Fresh, GroupPut
from engine.store.upkeep import verify
from tests.store.rows_of import keep, kept, key_of, spoil

pytestmark = pytest.mark.anyio


def fresh(prompt: str, value: object = "said") -> Fresh:
    return Fresh(key_of(prompt), Answer(value=value, provider="fake"), 100.0)


def full(how: str, when: str = "") -> str:
    """SQL that makes the database refuse rows as a full disk would."""
    return f"CREATE TRIGGER full BEFORE INSERT ON Cache {when} BEGIN SELECT RAISE({how}, 'the disk is full'); END"


class Store:
    """Hears what is put at once, and can fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.batches: list[list[Fresh]] = []
        self.error = error

    def put(self, batch: Sequence[Fresh]) -> None:
        self.batches.append(list(batch))
        if self.error is not None:
            raise self.error

    def holds(self, one: Fresh) -> bool:
        return any(one in batch for batch in self.batches)


async def test_what_comes_in_one_round_of_the_loop_is_put_together_and_in_order():
    store = Store()
    group = GroupPut(store.put)
    told: list[Fresh] = []

    async def done(one: Fresh) -> None:
        await group.done(one)
        assert store.holds(one)
        told.append(one)

    answers = [fresh(str(number)) for number in range(20)]
    for some in (answers[:15], answers[15:16], answers[16:]):
        async with anyio.create_task_group() as tasks:
            for one in some:
                tasks.start_soon(done, one)
    assert store.batches == [answers[:15], answers[15:16], answers[16:]]
    assert told == answers


async def test_an_answer_that_was_paid_for_is_put_whoever_cancels():
    store = Store()
    group = GroupPut(store.put)
    answers = [fresh("a"), fresh("b")]
    async with anyio.create_task_group() as tasks:
        for one in answers:
            tasks.start_soon(group.done, one)
        tasks.cancel_scope.cancel()
    assert store.batches == [answers]


async def test_a_fault_while_putting_is_told_to_all_whose_answers_were_not_put():
    store = Store(RuntimeError("a fault of ours"))
    group = GroupPut(store.put)
    ended: list[str] = []

    async def done(one: Fresh) -> None:
        try:
            await group.done(one)
        except RuntimeError as error:
            ended.append(str(error))
        else:
            ended.append("told")

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(done, fresh(str(number)))
    assert ended == 3 * ["a fault of ours"]


def test_answers_of_every_kind_are_kept_in_one_transaction(tmp_path: Path):
    answers = [fresh("a"), fresh("b", "x" * (LONG - 1)), fresh("c", {"x": 1})]
    with closing(AnswerCache(tmp_path)) as cache:
        cache.put_all(answers, "r1")
        assert cache.warnings == []
        found = [cache.get(one.key.digest) for one in answers]
    assert [row and row.value for row in found] == [one.answer.value for one in answers]
    assert verify(tmp_path, drop=False) == []


def test_when_the_store_does_not_take_one_none_is_kept_and_that_is_said_once(tmp_path: Path):
    (before,) = keep(tmp_path, "before")
    answers = [fresh("a"), fresh("b"), fresh("c")]
    spoil(tmp_path, full("FAIL", f"WHEN NEW.key = '{answers[1].key.digest}'"))
    with closing(AnswerCache(tmp_path)) as cache:
        cache.put_all(answers, "r1")
        assert cache.warnings == ["3 answers could not be kept for later runs: the disk is full"]
    assert kept(tmp_path, before)
    assert not any(kept(tmp_path, one.key.digest) for one in answers)


def test_a_long_answer_is_kept_or_lost_alone(tmp_path: Path):
    (before,) = keep(tmp_path, "a", value="o" * LONG)
    answers = [fresh("a", "n" * LONG), fresh("b"), fresh("c", "x" * LONG)]
    spoil(tmp_path, full("FAIL", f"WHEN NEW.key = '{answers[1].key.digest}'"))
    with closing(AnswerCache(tmp_path)) as cache:
        cache.put_all(answers, "r1")
        assert cache.warnings == ["an answer could not be kept for later runs: the disk is full"]
        found = cache.get(before)
    assert found is not None
    assert found.value == "n" * LONG
    assert [kept(tmp_path, one.key.digest) for one in answers] == [True, False, True]
    assert verify(tmp_path, drop=False) == []


def test_why_a_store_took_nothing_is_said_even_when_its_transaction_was_taken_back_already(tmp_path: Path):
    with closing(AnswerCache(tmp_path)) as cache:
        keep(tmp_path, "before")
        spoil(tmp_path, full("ROLLBACK"))
        cache.put(key_of("a"), Answer("said"), run="r1", made_at=1.0)
        assert cache.warnings == ["an answer could not be kept for later runs: the disk is full"]
