"""Answers of more than a mebibyte, which go piece by piece: into the store, into `steps.jsonl`, and to others."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import hypothesis.strategies as some
import pytest
from hypothesis import given, settings

from engine import json_pieces
from engine.json_pieces import LONG, around, is_long
from engine.record.folder import RunFolder
from engine.record.steps import StepFile
from engine.step import Answer, Step
from engine.store import cache as store
from engine.store import exchange
from engine.store.cache import AnswerCache, KeptAnswer
from engine.store.exchange import Taken, export, take_in
from engine.store.upkeep import stats, verify
from tests.store.rows_of import keep, key_of

ODD = 'é"\\\n\t\x00\x7f\u2028"value":"😀'
LENGTHS = [LONG - 1, LONG, LONG + 1, 3 * LONG + 17]


def text_of(length: int) -> str:
    """Text with all that JSON escapes, so that some of it lies where one piece ends and the next begins."""
    return (ODD * (length // len(ODD) + 1))[:length]


def found(folder: Path, key: str) -> KeptAnswer:
    with closing(AnswerCache(folder)) as cache:
        kept = cache.get(key)
        assert cache.warnings == []
    assert kept is not None
    return kept


@pytest.mark.parametrize("length", LENGTHS)
def test_a_long_answer_is_kept_whole_and_is_sound(tmp_path: Path, length: int):
    (key,) = keep(tmp_path, "long", value=text_of(length))
    kept = found(tmp_path, key)
    assert kept.value == text_of(length)
    assert (kept.run, kept.made_at, kept.parts) == ("r1", 100.0, key_of("long").parts)
    assert verify(tmp_path, drop=False) == []
    assert stats(tmp_path).size > length


@pytest.mark.parametrize("length", LENGTHS)
def test_a_long_answer_is_handed_on_whole(tmp_path: Path, length: int):
    (key,) = keep(tmp_path / "theirs", "long", value=text_of(length))
    assert export(tmp_path / "theirs", tmp_path / "file") == 1
    assert take_in(tmp_path / "mine", tmp_path / "file") == Taken(added=1, known=0)
    assert found(tmp_path / "mine", key) == found(tmp_path / "theirs", key)


def test_what_can_be_kept_can_be_handed_on_in_every_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "_LONGEST_LINE", 2 * LONG)
    (key,) = keep(tmp_path / "theirs", "a", value="é" * (LONG // 2 - 1_000))
    export(tmp_path / "theirs", tmp_path / "file")
    take_in(tmp_path / "mine", tmp_path / "file")
    assert found(tmp_path / "mine", key) == found(tmp_path / "theirs", key)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_long_answer_is_one_whole_line_among_the_others(tmp_path: Path, length: int):
    folder = RunFolder.create(tmp_path, "r")
    answers = ["short", text_of(length), {"n": 1}]
    with closing(StepFile(folder)) as file:
        for number, value in enumerate(answers, start=1):
            step = Step('asks for "answer":""', label='"answer":""')
            key = key_of(f"{number}")
            file.keep(number, step, Answer(value), key=key, manifest=None, miss="new")
    lines = [json.loads(line) for line in folder.step_file.read_bytes().splitlines()]
    assert [line["answer"] for line in lines] == answers
    assert {line["prompt"] for line in lines} == {'asks for "answer":""'}


def test_a_later_answer_takes_the_place_of_a_long_one(tmp_path: Path):
    (key,) = keep(tmp_path, "a", value="x" * (2 * LONG))
    keep(tmp_path, "a", value="short")
    assert found(tmp_path, key).value == "short"
    keep(tmp_path, "a", value="y" * (2 * LONG))
    assert found(tmp_path, key).value == "y" * (2 * LONG)
    assert stats(tmp_path).answers == 1


@pytest.mark.parametrize(
    "value", ["x" * (LONG + 10), {"said": "x" * (LONG + 10)}, {"said": "é" * (LONG // 2)}]
)
def test_an_answer_that_is_too_large_is_not_kept_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object
):
    monkeypatch.setattr(store, "MAXIMUM_ROW", LONG)
    with closing(AnswerCache(tmp_path)) as cache:
        cache.put(key_of("a"), Answer(value, provider="fake"), run="r", made_at=1.0)
        assert ["too large" in warning for warning in cache.warnings] == [True]
        assert cache.get(key_of("a").digest) is None


@given(text=some.text(min_size=1, max_size=50), size=some.integers(1, 7))
@settings(deadline=None)
def test_the_pieces_of_a_text_are_its_json_however_they_are_cut(text: str, size: int):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_pieces, "LONG", size)
        document = b'{"first":1,"value":"","last":"\\"value\\":\\""}'
        whole = json.loads(b"".join(around(document, "value", text)))
    assert whole == {"first": 1, "value": text, "last": '"value":"'}


@pytest.mark.parametrize("value", [None, 7, ["x" * (LONG + 1)], "x" * LONG, b"x" * (LONG + 1)])
def test_only_a_text_beyond_the_bound_is_long(value: object):
    assert not is_long(value)
    assert is_long("x" * (LONG + 1))
