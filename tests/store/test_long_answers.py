"""Long texts among the answers: in files beside the store and beside `steps.jsonl`, and on their way to others."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import StorageFailed, UsageError
from engine.record.folder import RunFolder
from engine.record.long_text import LONG, is_long
from engine.record.steps import StepFile
from engine.step import Answer, Step
from engine.store import cache as store
from engine.store import exchange
from engine.store.cache import AnswerCache
from engine.store.exchange import Taken, export, take_in
from engine.store.kept import MAXIMUM_ROW, ROW_VERSION, KeptAnswer
from engine.store.texts import Texts
from engine.store.upkeep import Needed, prune, stats, verify
from tests.store.rows_of import keep, kept, key_of, spoil

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
    assert (kept.run, kept.made_at) == ("r1", 100.0)
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


def test_what_can_be_kept_can_be_handed_on_whatever_has_to_be_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    largest = 2 * LONG
    longest_line: int = exchange._LONGEST_LINE  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(exchange, "_LONGEST_LINE", longest_line // (MAXIMUM_ROW // largest))
    (key,) = keep(tmp_path / "theirs", "a", value="\x01" * (largest - 500))
    export(tmp_path / "theirs", tmp_path / "file")
    take_in(tmp_path / "mine", tmp_path / "file")
    assert found(tmp_path / "mine", key) == found(tmp_path / "theirs", key)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_long_answer_lies_beside_the_lines_of_the_steps(tmp_path: Path, length: int):
    folder = RunFolder.create(tmp_path, "r")
    answers = ["short", text_of(length), {"n": 1}]
    with closing(StepFile(folder)) as file:
        for number, value in enumerate(answers, start=1):
            step = Step("asks", label="../a label")
            key = key_of(f"{number}")
            file.keep(number, step, Answer(value), key=key, manifest=None, miss="new")
    first, second, third = (json.loads(line) for line in folder.step_file.read_bytes().splitlines())
    assert (first["answer"], third["answer"]) == ("short", {"n": 1})
    if length < LONG:
        assert second["answer"] == answers[1]
    else:
        assert (folder.steps / second["answer_file"]).read_bytes().decode() == answers[1]
        assert "answer" not in second


def test_a_refused_file_leaves_no_text_behind(tmp_path: Path):
    keep(tmp_path / "theirs", "a", "b", value=text_of(LONG))
    export(tmp_path / "theirs", tmp_path / "file")
    lines = (tmp_path / "file").read_bytes().splitlines(keepends=True)
    (tmp_path / "file").write_bytes(b"".join(lines[:-1]))  # which is seen at its end only
    with pytest.raises(UsageError, match="cannot be taken in"):
        take_in(tmp_path / "mine", tmp_path / "file")
    assert list((tmp_path / "mine" / "texts").iterdir()) == []


@pytest.mark.parametrize("spoilt", ["gone", "cut off"])
def test_what_is_taken_in_heals_an_answer_whose_text_is_spoilt(tmp_path: Path, spoilt: str):
    keys = keep(tmp_path, "a", "b", value=text_of(LONG))
    export(tmp_path, tmp_path / "file")
    text = tmp_path / "texts" / keys[0]
    text.unlink() if spoilt == "gone" else os.truncate(text, 1)
    assert take_in(tmp_path, tmp_path / "file") == Taken(added=1, known=1)
    assert [found(tmp_path, key).value for key in keys] == 2 * [text_of(LONG)]


def test_a_long_answer_that_cannot_be_written_down_is_named(tmp_path: Path):
    folder = RunFolder.create(tmp_path, "r")
    with closing(StepFile(folder)) as file:
        step = Step("asks", label="a label")
        place = Path(f"{file.stem(1, step)}.answer.txt")
        place.mkdir(parents=True)
        with pytest.raises(StorageFailed) as failed:
            file.keep(1, step, Answer(text_of(LONG)), key=key_of("1"), manifest=None, miss="new")
    assert failed.value.where == str(place)
    assert not folder.step_file.exists()


def test_a_later_answer_takes_the_place_of_a_long_one(tmp_path: Path):
    (key,) = keep(tmp_path, "a", value="x" * (2 * LONG))
    keep(tmp_path, "a", value="short")
    assert found(tmp_path, key).value == "short"
    keep(tmp_path, "a", value="y" * (2 * LONG))
    assert found(tmp_path, key).value == "y" * (2 * LONG)
    assert stats(tmp_path).answers == 1


def texts(store: Path) -> list[str]:
    folder = store / "texts"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def cut(text: Path) -> None:
    text.write_bytes(text.read_bytes()[:-1])


def no_text(text: Path) -> None:
    text.write_bytes(b"\xff" * text.stat().st_size)


def link(text: Path) -> None:
    elsewhere = text.with_name("elsewhere")
    text.replace(elsewhere)
    text.symlink_to(elsewhere)


def folder(text: Path) -> None:
    text.unlink()
    text.mkdir()


@pytest.mark.parametrize("spoiled", [Path.unlink, cut, no_text, link, folder])
def test_an_answer_whose_text_was_spoiled_is_made_anew_and_can_be_dropped(
    tmp_path: Path, spoiled: Callable[[Path], None]
):
    (key,) = keep(tmp_path, "a", value="x" * LONG)
    spoiled(tmp_path / "texts" / key)
    with closing(AnswerCache(tmp_path)) as cache:
        assert cache.get(key) is None
        assert ["made anew" in warning for warning in cache.warnings] == [True]
    assert export(tmp_path, tmp_path / "file") == 0
    assert [problem.key for problem in verify(tmp_path, drop=False)] == [key]
    assert len(verify(tmp_path, drop=True)) == 1
    assert verify(tmp_path, drop=False) == []


def test_what_is_made_anew_takes_the_place_of_a_spoiled_text(tmp_path: Path):
    (key,) = keep(tmp_path, "a", value="x" * LONG)
    link(tmp_path / "texts" / key)
    keep(tmp_path, "a", value="y" * LONG)
    assert found(tmp_path, key).value == "y" * LONG
    assert (tmp_path / "texts" / "elsewhere").read_text() == "x" * LONG


def test_texts_go_with_their_rows_and_so_does_what_was_left_behind(tmp_path: Path):
    old, new = keep(tmp_path, "a", value="x" * LONG) + keep(tmp_path, "b", value="y" * LONG, made_at=300.0)
    left_behind = ["0" * 64, f".{old}.77"]
    for name in left_behind:
        (tmp_path / "texts" / name).write_text("torn")
    assert texts(tmp_path) == sorted([old, new, *left_behind])
    assert stats(tmp_path).on_disk > 2 * LONG
    removed = prune(tmp_path, older_than=200.0, needed=Needed)
    assert (removed.answers, removed.size > LONG) == (1, True)
    assert texts(tmp_path) == [new]


def test_what_is_not_ours_stays_and_is_not_counted_wherever_the_folder_leads(tmp_path: Path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "letter.txt").write_text("x" * 10 * LONG)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "texts").symlink_to(tmp_path / "documents")
    (key,) = keep(tmp_path / "store", "a", value="x" * LONG)
    assert found(tmp_path / "store", key).value == "x" * LONG
    assert stats(tmp_path / "store").on_disk < 5 * LONG
    assert prune(tmp_path / "store", older_than=200.0, needed=Needed).answers == 1
    assert [path.name for path in (tmp_path / "documents").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("size", [-1, 0, 2**63, 10**30])
def test_a_size_that_is_not_that_of_the_text_counts_for_nothing(tmp_path: Path, size: int):
    (key,) = keep(tmp_path, "a", value="x" * LONG)
    spoil(tmp_path, "UPDATE Cache SET value = replace(value, ?, ?)", f'"long":{LONG}', f'"long":{size}')
    assert not kept(tmp_path, key)
    assert stats(tmp_path)[:2] == (0, 1)
    assert 0 < stats(tmp_path).size < 2_000


def test_what_goes_while_it_is_counted_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (key,) = keep(tmp_path, "a", value="x" * LONG)
    with os.scandir(tmp_path / "texts") as entries:
        listed = [*entries]
    (tmp_path / "texts" / key).unlink()
    monkeypatch.setattr(Texts, "_entries", lambda _: listed)
    assert stats(tmp_path).on_disk < LONG


def test_an_answer_that_is_made_anew_while_it_is_verified_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (key,) = keep(tmp_path, "a", value="x" * LONG)
    has, others = Texts.has, iter([lambda: keep(tmp_path, "a", value="y" * (LONG + 1))])

    def after_another_process(texts: Texts, key: str, size: int) -> bool:
        for other in others:
            other()
        return has(texts, key, size)

    monkeypatch.setattr(Texts, "has", after_another_process)
    assert verify(tmp_path, drop=True) == []
    assert found(tmp_path, key).value == "y" * (LONG + 1)


def test_a_store_is_pruned_by_its_texts_as_well(tmp_path: Path):
    keep(tmp_path, "a", value="x" * (4 * LONG))
    (new,) = keep(tmp_path, "b", value="short", made_at=300.0)
    assert prune(tmp_path, most=2 * LONG, needed=Needed).answers == 1
    assert kept(tmp_path, new)


@pytest.mark.parametrize("key", ["../" * 20 + "etc", "/" * 64, "A" * 64, "0" * 63])
def test_what_a_foreign_row_calls_its_key_is_no_path(tmp_path: Path, key: str):
    here = Texts(tmp_path)
    assert not here.has(key, 1)
    with pytest.raises(ValueError, match="no key"):
        here.read(key, 1)
    with pytest.raises(ValueError, match="no key"):
        here.keep(key, "x")


def test_an_answer_of_which_only_the_size_is_in_the_file_is_not_taken_in(tmp_path: Path):
    (key,) = keep(tmp_path, "a", value="x")
    export(tmp_path, tmp_path / "file")
    first, row, _ = (tmp_path / "file").read_text().splitlines()
    line = json.loads(row)
    answer, parts = line["row"].split("\n")
    line["row"] = json.dumps({**json.loads(answer), "value": "", "long": LONG}) + "\n" + parts
    lines = f"{first}\n{json.dumps(line)}\n"
    end = {"rows": 1, "sha256": hashlib.sha256(lines.encode()).hexdigest()}
    (tmp_path / "file").write_text(f"{lines}{json.dumps(end)}\n")
    with pytest.raises(UsageError, match="its text is not in it"):
        take_in(tmp_path / "mine", tmp_path / "file")
    assert not kept(tmp_path / "mine", key)


def test_a_row_of_a_newer_mco_is_no_answer(tmp_path: Path):
    (key,) = keep(tmp_path, "a")
    spoil(
        tmp_path, "UPDATE Cache SET value = replace(value, ?, ?)", f'"version":{ROW_VERSION}', '"version":99'
    )
    assert not kept(tmp_path, key)


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


@pytest.mark.parametrize("value", [None, 7, ["x" * LONG], "x" * (LONG - 1), b"x" * LONG])
def test_only_a_text_of_many_characters_is_long(value: object):
    assert not is_long(value)
    assert is_long("x" * LONG)


def test_a_text_that_is_replaced_while_it_is_looked_for_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (key,) = keep(tmp_path, "a", value="x" * LONG)
    read = Texts.read
    looks: list[int] = []

    def once_replaced(texts: Texts, wanted: str, size: int) -> str:
        looks.append(size)
        return read(texts, wanted, size - 1 if len(looks) == 1 else size)

    monkeypatch.setattr(Texts, "read", once_replaced)
    assert found(tmp_path, key).value == "x" * LONG
    assert len(looks) == 2


@pytest.mark.parametrize(("number", "said"), [(errno.EIO, 1), (errno.EINVAL, 0)])
def test_a_disk_that_fails_is_told_once_and_one_that_cannot_sync_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: int
):
    def failing(file: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)
    with closing(AnswerCache(tmp_path)) as cache:
        for prompt in ("a", "b"):
            cache.put(key_of(prompt), Answer("x" * LONG, provider="fake"), run="r", made_at=1.0)
            cache.sync()
        assert [warning for warning in cache.warnings if "the disk fails" in warning] == cache.warnings
        assert len(cache.warnings) == said
