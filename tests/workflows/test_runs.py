"""The store of runs: whatever is on disk, it tells what it can and says what it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.record.events import JOURNAL_VERSION, Logged, RunFinished, RunStarted, Tokens
from engine.record.folder import RunFolder
from engine.record.journal import Journal
from engine.record.lock import RunLock
from workflows.runs import RunStore, read_record


def _run(runs: Path, run_id: str, *, finished: bool = True) -> RunFolder:
    folder = RunFolder.create(runs, run_id)
    journal = Journal(folder.journal)
    journal.write(RunStarted(seq=1, at=10.0, run_id=run_id, workflow="w", args={"a": 1}, parent="p"))
    if finished:
        usage = Tokens(input_tokens=3, output_tokens=4)
        journal.write(RunFinished(seq=2, at=12.0, status="partial", seconds=2.0, usage=usage))
    journal.close()
    return folder


def test_a_finished_run_tells_everything(tmp_path: Path) -> None:
    record = read_record(_run(tmp_path, "r"))

    assert (record.run_id, record.workflow, record.status, record.args) == ("r", "w", "partial", {"a": 1})
    assert (record.started_at, record.seconds, record.tokens, record.parent) == (10.0, 2.0, 7, "p")
    assert record.damage == ""


def test_a_run_is_running_while_its_lock_is_held_and_interrupted_after(tmp_path: Path) -> None:
    folder = _run(tmp_path, "r", finished=False)
    with RunLock(folder.lock):
        assert read_record(folder).status == "running"

    assert read_record(folder).status == "interrupted"


def test_a_torn_last_line_is_said(tmp_path: Path) -> None:
    folder = _run(tmp_path, "r", finished=False)
    with folder.journal.open("ab") as file:
        file.write(b'{"seq": 2, "at"')

    record = read_record(folder)
    assert (record.status, record.damage) == ("interrupted", "its last line is torn")


def test_the_end_is_found_behind_lines_longer_than_the_part_that_is_read(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    journal = Journal(folder.journal)
    journal.write(RunStarted(seq=1, at=1.0, run_id="r", workflow="w"))
    journal.write(Logged(seq=2, at=1.0, message="x" * 600_000))
    journal.write(RunFinished(seq=3, at=2.0, status="done", seconds=1.0))
    journal.close()

    assert read_record(folder).status == "done"


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b"", "its journal does not begin with RunStarted"),
        (b"\x00\xff\n{}\n", "its journal does not begin with RunStarted"),
        (b'{"kind":"Logged","seq":1,"at":1,"message":"x"}\n', "its journal does not begin with RunStarted"),
        (
            RunStarted(seq=1, at=1.0, run_id="r", workflow="w", journal_version=JOURNAL_VERSION + 1)
            .model_dump_json()
            .encode()
            + b"\n",
            "a newer mco wrote it",
        ),
    ],
)
def test_a_journal_that_cannot_be_read_is_said(tmp_path: Path, content: bytes, damage: str) -> None:
    folder = RunFolder.create(tmp_path, "r")
    folder.journal.write_bytes(content)

    record = read_record(folder)
    assert (record.status, record.damage) == ("unreadable", damage)


def test_a_folder_without_a_journal_is_said(tmp_path: Path) -> None:
    assert read_record(RunFolder.create(tmp_path, "r")).damage == "it has no journal"


def test_runs_are_newest_first_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    for run_id in ("20260101-000000-aaaa", "20260102-000000-bbbb"):
        _run(tmp_path, run_id)
    (tmp_path / "notes.txt").write_text("")
    store = RunStore(tmp_path)

    assert [record.run_id for record in store.newest()] == ["20260102-000000-bbbb", "20260101-000000-aaaa"]
    assert [record.run_id for record in store.newest(1)] == ["20260102-000000-bbbb"]
    assert store.count() == 2


def test_a_run_is_found_by_its_id_its_beginning_or_as_the_last(tmp_path: Path) -> None:
    for run_id in ("20260101-000000-aaaa", "20260102-000000-bbbb"):
        _run(tmp_path, run_id)
    store = RunStore(tmp_path)

    assert store.find("20260101-000000-aaaa").run_id == "20260101-000000-aaaa"
    assert store.find("20260101").run_id == "20260101-000000-aaaa"
    assert store.find().run_id == "20260102-000000-bbbb"


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ("202601", "2 runs begin with '202601'"),
        ("../x", "there is no run '../x'"),
        ("", "there is no run ''"),
    ],
)
def test_a_name_for_none_or_several_is_refused(tmp_path: Path, asked: str, what: str) -> None:
    for run_id in ("20260101-000000-aaaa", "20260102-000000-bbbb"):
        _run(tmp_path, run_id)

    with pytest.raises(UsageError) as caught:
        RunStore(tmp_path).find(asked)
    assert caught.value.what == what


def test_where_no_run_was_ever_started_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        RunStore(tmp_path / "runs").find()
    assert caught.value.hint == "start one with: mco run NAME"
