"""A long text comes back whole, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engine.record.long_text import read_text, write_text

TEXT = 'é"\n😀' * 1_000


def test_a_text_comes_back_byte_for_byte_and_takes_the_place_of_another(tmp_path: Path):
    path = tmp_path / "text"
    for text in ("first\r\n", TEXT, ""):
        assert write_text(path, text) == len(text.encode())
        assert read_text(path) == text
        assert [each.name for each in tmp_path.iterdir()] == ["text"]


def test_a_disk_that_takes_and_gives_a_part_at_a_time_has_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write, read = os.write, os.read
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:700]))
    monkeypatch.setattr(os, "read", lambda file, size: read(file, min(size, 700)))
    assert read_text(tmp_path / "text", write_text(tmp_path / "text", TEXT)) == TEXT


def test_a_text_that_is_cut_off_while_it_is_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, read = tmp_path / "text", os.read
    size = write_text(path, "x" * 1_000)

    def cut(file: int, size: int) -> bytes:
        os.truncate(path, 600)
        return read(file, size)

    monkeypatch.setattr(os, "read", cut)
    with pytest.raises(ValueError, match="cut off"):
        read_text(path, size)


@pytest.mark.parametrize("before", [None, "old"])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
):
    path, write, taken = tmp_path / "text", os.write, list[int]()
    if before is not None:
        write_text(path, before)

    def full(file: int, data: memoryview) -> int:
        if taken:
            raise OSError(errno.ENOSPC, "no space")
        taken.append(write(file, data[:10]))
        return taken[0]

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no space"):
        write_text(path, TEXT)
    assert [each.read_text() for each in tmp_path.iterdir()] == ([] if before is None else [before])


def test_a_text_of_another_size_is_none(tmp_path: Path):
    write_text(tmp_path / "text", "12345")
    with pytest.raises(ValueError, match="5 bytes"):
        read_text(tmp_path / "text", 4)


def test_nothing_is_left_beside_a_folder_that_stands_in_its_place(tmp_path: Path):
    (tmp_path / "text").mkdir()
    with pytest.raises(OSError, match="text"):
        write_text(tmp_path / "text", TEXT)
    assert [each.name for each in tmp_path.iterdir()] == ["text"]
