"""Files of a run's folder are read as what mco wrote, or not at all: the folder may have come with a repository."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.record import journal as journal_module
from engine.record.events import Logged
from engine.record.folder import RunFolder, write_atomically
from engine.record.journal import Journal, JournalReader, read_journal
from engine.record.plain_file import read_plain
from workflows.runs import read_record

links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")


@links
@pytest.mark.parametrize("kind", ["link", "device", "pipe"])
def test_what_is_no_regular_file_is_never_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "journal.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else __file__)

    with pytest.raises(OSError, match=r".+"):
        read_plain(path)
    with pytest.raises(StorageFailed):
        read_journal(path)
    assert read_record(RunFolder(tmp_path)).status == "unreadable"


def test_a_file_that_is_larger_than_ours_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")

    assert read_plain(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match="larger than mco writes it"):
        read_plain(tmp_path / "file", 4)


def test_a_line_longer_than_any_of_ours_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "LONGEST_LINE", 200)
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.write(Logged(seq=1, at=1.0, message="before"))
    with path.open("ab") as file:
        file.write(b"x" * 1_000)
    reader = JournalReader(path)
    assert [event.seq for event in reader.read()] == [1]
    with path.open("ab") as file:
        file.write(b"x\n")
    journal.write(Logged(seq=2, at=1.0, message="after"))
    journal.close()

    assert [event.seq for event in reader.read()] == [2]
    assert reader.damaged == 1


@links
def test_a_link_in_the_place_of_a_draft_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / f".run.json.{os.getpid()}").symlink_to(tmp_path / "precious")
    write_atomically(tmp_path / "run.json", "ours")

    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "run.json").read_text() == "ours"
    assert not (tmp_path / "run.json").is_symlink()


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"one\ntwo\nto", b"one\ntwo\n"),
        (b"one\n" + b"x" * 600_000, b"one\n"),
        (b"x" * 600_000, b""),
        (b"", b""),
    ],
)
def test_a_torn_end_is_cut_off_however_long_it_is(tmp_path: Path, content: bytes, kept: bytes) -> None:
    (tmp_path / "journal.jsonl").write_bytes(content)
    journal = Journal(tmp_path / "journal.jsonl")
    journal.mend()
    journal.close()

    assert (tmp_path / "journal.jsonl").read_bytes() == kept
