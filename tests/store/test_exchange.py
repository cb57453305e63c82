"""Answers handed on as a file: whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import StorageFailed, UsageError
from engine.store.exchange import Taken, export, take_in
from engine.store.upkeep import stats
from tests.store.rows_of import keep, kept, spoil


def exported(folder: Path, *prompts: str) -> Path:
    keep(folder / "theirs", *prompts)
    export(folder / "theirs", folder / "answers.jsonl")
    return folder / "answers.jsonl"


def test_what_one_exports_another_finds(tmp_path: Path):
    keys = keep(tmp_path / "theirs", "a", "b")
    assert export(tmp_path / "theirs", tmp_path / "file") == 2
    assert take_in(tmp_path / "mine", tmp_path / "file") == Taken(added=2, known=0)
    assert all(kept(tmp_path / "mine", key) for key in keys)
    assert take_in(tmp_path / "mine", tmp_path / "file") == Taken(added=0, known=2)


def test_only_wanted_answers_are_exported_and_no_spoiled_ones(tmp_path: Path):
    one, two, three = keep(tmp_path / "theirs", "a", "b", "c")
    spoil(tmp_path / "theirs", "UPDATE Cache SET value = '{' WHERE key = ?", three)
    assert export(tmp_path / "theirs", tmp_path / "file", wanted={one, three}.__contains__) == 1
    take_in(tmp_path / "mine", tmp_path / "file")
    assert kept(tmp_path / "mine", one)
    assert not kept(tmp_path / "mine", two)


def test_what_is_here_already_stays_as_it_is(tmp_path: Path):
    keep(tmp_path / "mine", "a", made_at=500.0)
    take_in(tmp_path / "mine", exported(tmp_path, "a"))
    assert stats(tmp_path / "mine").newest == 500.0


@pytest.mark.parametrize("wrong", ['"seconds":1e999', '"made_at":NaN', '"value":NaN', '"value":[1e999]'])
def test_numbers_that_no_run_can_take_are_no_answer(tmp_path: Path, wrong: str):
    (key,) = keep(tmp_path / "mine", "a")
    name = wrong.partition(":")[0]
    said = {'"seconds"': '"seconds":0.0', '"made_at"': '"made_at":100.0', '"value"': '"value":"said"'}[name]
    spoil(tmp_path / "mine", "UPDATE Cache SET value = replace(CAST(value AS TEXT), ?, ?)", said, wrong)

    assert not kept(tmp_path / "mine", key)
    assert stats(tmp_path / "mine").unreadable == 1


def altered(file: Path, how: str) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    first, row, other, last = lines
    match how:
        case "torn":
            lines = [first, row, other[:50]]
        case "without its end":
            lines = [first, row, other]
        case "a changed answer":
            lines = [first, row.replace(b"said", b"lied"), other, last]
        case "a changed prompt":
            lines = [first, row.replace(rb"\"prompt\":\"a\"", rb"\"prompt\":\"z\""), other, last]
        case "another key":
            lines = [first, json.dumps({**json.loads(row), "key": "0" * 64}).encode() + b"\n", other, last]
        case "a missing answer":
            lines = [first, row, last]
        case "more behind its end":
            lines = [*lines, row]
        case "no header":
            lines = lines[1:]
        case "another version":
            lines = [first.replace(b'"version": 2', b'"version": 3'), row, other, last]
        case "another file":
            lines = [b"%PDF-1.7\n"]
        case "deep":
            lines = [first, b"[" * 100_000 + b"\n", last]
        case _:
            lines = [first, b'{"key": 1, "row": 2}\n', other, last]
    file.write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    "how",
    [
        "torn", "without its end", "a changed answer", "a changed prompt", "another key", "a missing answer",
        "more behind its end", "no header", "another version", "another file", "deep", "no texts",
    ],
)  # fmt: skip
def test_of_a_file_that_is_not_whole_nothing_is_taken(tmp_path: Path, how: str):
    file = exported(tmp_path, "a", "b")
    altered(file, how)
    with pytest.raises(UsageError, match="cannot be taken in") as caught:
        take_in(tmp_path / "mine", file)
    assert str(file) in (caught.value.where or "")
    assert stats(tmp_path / "mine").answers == 0


@pytest.mark.parametrize("content", [b"hello\n", b'{\n "cassette": 1\n}\n', b"[]\n", b""])
def test_a_file_of_another_kind_is_called_that(tmp_path: Path, content: bytes):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        take_in(tmp_path / "mine", tmp_path / "file")
    assert caught.value.why == "it does not begin as a file of `mco cache export` does"


def test_a_file_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        take_in(tmp_path / "mine", tmp_path / "nothing")


def test_an_export_that_fails_leaves_the_file_that_was_there(tmp_path: Path):
    keep(tmp_path / "theirs", "a")
    (tmp_path / "theirs" / "cache.db").write_bytes(b"broken" * 1000)
    (tmp_path / "file").write_text("the old one")
    with pytest.raises(StorageFailed):
        export(tmp_path / "theirs", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "theirs"]
