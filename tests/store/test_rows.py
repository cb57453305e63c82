"""The text of a row: two lines, and the one that older rows have."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from engine.store.cache import AnswerCache
from engine.store.exchange import KIND, Taken, export, take_in
from engine.store.kept import ROW_VERSION, KeptAnswer, answer_in, row_of, whole_answer_in
from engine.store.upkeep import verify
from tests.store.rows_of import keep, kept, key_of, spoil

SAID = 'two lines\nand a "quote" \u2028'


def row(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        return connection.execute("SELECT CAST(value AS TEXT) FROM Cache").fetchone()[0]


def test_a_row_is_two_lines_whatever_the_answer_says(tmp_path: Path):
    (key,) = keep(tmp_path, "a\nb", value=SAID)
    answer, parts = row(tmp_path).split("\n")
    assert json.loads(answer)["value"] == SAID
    assert json.loads(parts) == key_of("a\nb").parts
    with closing(AnswerCache(tmp_path)) as cache:
        found = cache.get(key)
    assert found is not None
    assert found.value == SAID


def test_only_who_asks_for_the_parts_reads_them():
    text = row_of(KeptAnswer(value=1, provider="fake", run="r1", made_at=1.0, parts={"prompt": "p"}))
    assert answer_in(text).parts is None
    assert answer_in(text.partition("\n")[0] + "\n{ torn").value == 1
    assert whole_answer_in(text).parts == {"prompt": "p"}
    assert row_of(whole_answer_in(text)) == text


def test_a_row_from_before_the_parts_had_a_line_is_as_good(tmp_path: Path):
    (key,) = keep(tmp_path, "a")
    answer, parts = row(tmp_path).split("\n")
    old = json.dumps({**json.loads(answer), "version": 2, "parts": json.loads(parts)})
    spoil(tmp_path, "UPDATE Cache SET value = ?", old)
    assert kept(tmp_path, key)
    assert verify(tmp_path, drop=False) == []

    assert export(tmp_path, tmp_path / "answers") == 1
    assert take_in(tmp_path / "other", tmp_path / "answers") == Taken(added=1, known=0)
    assert kept(tmp_path / "other", key)
    assert row(tmp_path / "other").count("\n") == 1
    assert json.loads(row(tmp_path / "other").split("\n")[0])["version"] == ROW_VERSION


def test_a_file_from_before_the_parts_had_a_line_is_taken_in(tmp_path: Path):
    (key,) = keep(tmp_path, "a")
    answer, parts = row(tmp_path).split("\n")
    old = json.dumps({**json.loads(answer), "version": 2, "parts": json.loads(parts)})
    lines = "".join(
        json.dumps(line) + "\n" for line in ({"kind": KIND, "version": 1}, {"key": key, "row": old})
    )
    end = {"rows": 1, "sha256": hashlib.sha256(lines.encode()).hexdigest()}
    (tmp_path / "file").write_text(f"{lines}{json.dumps(end)}\n")
    assert take_in(tmp_path / "other", tmp_path / "file") == Taken(added=1, known=0)
    assert kept(tmp_path / "other", key)
