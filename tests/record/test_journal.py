"""A journal that a crash, a foreign hand or a newer mco has written to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.record.events import JOURNAL_VERSION, Event, Logged, RunFinished, RunStarted
from engine.record.journal import Journal, JournalReader, last_event, read_journal

STARTED = RunStarted(seq=1, at=1.0, run_id="r", workflow="w")
SAID = Logged(seq=2, at=2.0, message="said")
FINISHED = RunFinished(seq=3, at=3.0, status="done", seconds=2.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def written(path: Path, *lines: Event | bytes) -> JournalReader:
    """A reader of a journal with these lines; an event is written as mco does it."""
    texts = [line if isinstance(line, bytes) else line.model_dump_json().encode() for line in lines]
    path.write_bytes(b"".join(text + b"\n" for text in texts))
    return JournalReader(path)


def test_an_event_that_only_a_newer_mco_knows_is_passed_over_and_is_no_damage(path: Path):
    newer = b'{"seq":2,"at":2.0,"kind":"StepMoved","step":1}'
    reader = written(path, STARTED, newer, FINISHED)
    assert list(reader.read()) == [STARTED, FINISHED]
    assert (reader.unknown, reader.damaged) == (1, 0)


def test_a_field_that_only_a_newer_mco_knows_is_passed_over(path: Path):
    newer = json.dumps({**SAID.model_dump(), "colour": "red"}).encode()
    reader = written(path, STARTED, newer)
    assert list(reader.read()) == [STARTED, SAID]
    assert (reader.unknown, reader.damaged) == (0, 0)


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"\xff\xfe",
        b"[1]",
        b"{}",
        b'{"kind":7}',
        b'{"kind":"Logged","seq":"x"}',
        b'{"seq":2,"at":2.0,"kind":"Logged"}',
    ],
)
def test_a_line_that_is_no_event_is_damage(path: Path, line: bytes):
    reader = written(path, STARTED, line, FINISHED)
    assert list(reader.read()) == [STARTED, FINISHED]
    assert (reader.unknown, reader.damaged) == (0, 1)


def test_a_newer_major_version_is_refused_and_says_what_to_do(path: Path):
    newer = STARTED.model_copy(update={"journal_version": JOURNAL_VERSION + 1})
    with pytest.raises(StorageFailed, match=f"has version {JOURNAL_VERSION + 1}") as caught:
        list(written(path, newer, FINISHED).read())
    assert caught.value.hint == "update mco"


def test_a_torn_line_waits_until_it_is_whole(path: Path):
    line = SAID.model_dump_json().encode()
    reader = written(path, STARTED)
    with path.open("ab") as file:
        file.write(line[:10])
    assert list(reader.read()) == [STARTED]
    with path.open("ab") as file:
        file.write(line[10:] + b"\n")
    assert list(reader.read()) == [SAID]
    assert reader.damaged == 0


def test_mending_cuts_off_a_torn_line_and_nothing_else(path: Path):
    written(path, STARTED, SAID)
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(b'{"seq":3,"at":3.0,"ki')
    journal = Journal(path)
    journal.mend()
    assert path.read_bytes() == whole
    journal.mend()
    journal.write(FINISHED)
    journal.close()
    assert read_journal(path) == [STARTED, SAID, FINISHED]


def test_the_last_event_is_the_last_whole_line(path: Path):
    written(path, STARTED, SAID)
    assert last_event(path) == SAID
    with path.open("ab") as file:
        file.write(FINISHED.model_dump_json().encode())  # without its end: nobody knows whether that is all
    assert last_event(path) == SAID


@pytest.mark.parametrize("lines", [[], [b"no JSON"], [STARTED, b'{"kind":"StepMoved"}']])
def test_where_the_last_line_is_no_event_of_ours_there_is_no_last_event(
    path: Path, lines: list[Event | bytes]
):
    written(path, *lines)
    assert last_event(path) is None


def test_the_last_event_of_a_long_journal_is_found_at_its_end(path: Path):
    written(path, STARTED, SAID.model_copy(update={"message": "x" * 600_000}), FINISHED)
    assert last_event(path) == FINISHED
