"""A file's blocks are set aside before it is written, and a file system that cannot does no harm."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from engine import reserved_space
from engine.reserved_space import reserve_space

MEBIBYTE = 1024 * 1024


@pytest.fixture
def file(tmp_path: Path) -> Generator[int]:
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT, 0o600)
    yield file
    os.close(file)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux sets blocks aside without making the file longer"
)
def test_what_is_set_aside_is_no_part_of_the_file_until_it_is_written(file: int):
    reserve_space(file, MEBIBYTE)
    reserved = os.fstat(file)
    assert reserved.st_size == 0
    if reserved.st_blocks == 0:
        pytest.skip("this file system sets nothing aside")
    assert reserved.st_blocks * 512 >= MEBIBYTE
    os.write(file, b"written")
    assert os.pread(file, MEBIBYTE, 0) == b"written"


@pytest.mark.parametrize("ask", [None, lambda *_: -1], ids=["no such thing", "refused"])
def test_where_nothing_can_be_set_aside_the_file_is_written_all_the_same(
    file: int, monkeypatch: pytest.MonkeyPatch, ask: object
):
    monkeypatch.setattr(reserved_space, "_fallocate", lambda: ask)
    reserve_space(file, MEBIBYTE)
    os.write(file, b"written")
    assert os.pread(file, MEBIBYTE, 0) == b"written"
