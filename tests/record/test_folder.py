"""The run's folder: names that are safe on every disk, files that are never half written."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.errors import StorageFailed
from engine.record.events import PhaseStarted
from engine.record.folder import RunFolder, make_state_folder, new_run_id, slug, write_atomically, write_json
from engine.record.journal import Journal, read_journal

needs_permissions = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="a root user may write everywhere"
)


def test_run_ids_sort_by_time() -> None:
    ids = [new_run_id(float(now), token) for now, token in ((1, "ffff"), (2, "aaaa"), (90_000, "0000"))]

    assert ids == sorted(ids)
    assert new_run_id(1_795_258_497.0, "3f9abc") == "20261121-105457-3f9a"


def test_a_run_id_is_never_given_out_twice(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "runs", "a")

    with pytest.raises(StorageFailed) as caught:
        RunFolder.create(tmp_path / "runs", "a")
    assert caught.value.where == str(tmp_path / "runs" / "a")


def test_a_plain_label_is_its_own_slug() -> None:
    assert slug("correctness") == "correctness"
    assert slug("") == "step"


def test_labels_that_clean_to_the_same_text_stay_apart() -> None:
    assert slug("A b") != slug("a-b") != slug("a/b")


@given(some.text(some.characters(exclude_categories=()), max_size=200))
def test_a_slug_is_one_safe_path_segment(label: str) -> None:
    assert slug(label)
    assert len(slug(label)) <= 50
    assert set(slug(label)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_file_is_replaced_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(path, {"é": 1})
    write_json(path, [2])

    assert json.loads(path.read_text(encoding="utf-8")) == [2]
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_a_file_that_cannot_be_written_is_a_clear_error_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()

    with pytest.raises(StorageFailed) as caught:
        write_atomically(path, "x")
    assert caught.value.where == str(path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_state_folder_ignores_itself_and_keeps_what_the_user_wrote(tmp_path: Path) -> None:
    state = tmp_path / ".mco"
    make_state_folder(state)
    assert (state / ".gitignore").read_text(encoding="utf-8") == "*\n"

    (state / ".gitignore").write_text("runs/\n", encoding="utf-8")
    make_state_folder(state)
    assert (state / ".gitignore").read_text(encoding="utf-8") == "runs/\n"


@needs_permissions
def test_an_unwritable_workspace_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(StorageFailed) as caught:
        make_state_folder(tmp_path / ".mco")
    assert "writable" in str(caught.value.hint)


def test_a_file_where_the_state_folder_should_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / ".mco").write_text("")

    with pytest.raises(StorageFailed):
        make_state_folder(tmp_path / ".mco")


def test_a_line_that_the_disk_took_in_part_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    room = [1_000, 10, 0]

    def write(file: int, data: bytes) -> int:
        if not (taken := room.pop(0)):
            raise OSError(28, "No space left on device")
        return real(file, data[:taken])

    journal = Journal(tmp_path / "journal.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        journal.write(PhaseStarted(seq=1, at=1.0, title="kept"))
        with pytest.raises(StorageFailed):
            journal.write(PhaseStarted(seq=2, at=2.0, title="lost"))
    journal.write(PhaseStarted(seq=3, at=3.0, title="after"))
    journal.close()

    assert [event.seq for event in read_journal(journal.path)] == [1, 3]
    assert b"lost" not in journal.path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_link_in_the_state_folder_makes_nobody_write_elsewhere(tmp_path: Path) -> None:
    state = tmp_path / "here" / ".mco"
    state.mkdir(parents=True)
    (state / ".gitignore").symlink_to(tmp_path / "elsewhere")
    make_state_folder(state)

    linked = tmp_path / "there" / ".mco"
    linked.parent.mkdir()
    linked.symlink_to(tmp_path / "here")
    with pytest.raises(StorageFailed, match="is a link"):
        make_state_folder(linked)
    (state / "runs").symlink_to(tmp_path)
    with pytest.raises(StorageFailed, match="is a link"):
        RunFolder.create(state / "runs", "20260101-000000-aaaa")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "there"]
    assert [path.name for path in (tmp_path / "here").iterdir()] == [".mco"]
