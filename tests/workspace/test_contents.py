"""Ids of contents are those of git, and are remembered only where nothing can have changed unseen."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.workspace import contents
from engine.workspace.contents import Contents
from tests.workspace.repositories import git

LATER = 3600.0


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths whose bytes were read."""
    seen: list[str] = []
    read = contents._read

    def noted(path: str, algorithm: contents.Algorithm) -> str | None:
        seen.append(Path(path).name)
        return read(path, algorithm)

    monkeypatch.setattr(contents, "_read", noted)
    return seen


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., str | None]:
    """Looks at a file once, as one run does, `after` seconds from now."""

    def once(path: Path, *, after: float = LATER) -> str | None:
        known = Contents(tmp_path / "cache" / "contents", lambda: time.time() + after)
        try:
            return known.identity(str(path), path.lstat(), "sha1", executable=False)
        finally:
            known.save()

    return once


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 7])
def test_a_content_is_called_as_git_calls_it(tmp_path: Path, look: Callable[..., str | None], size: int):
    (tmp_path / "file").write_bytes(b"x" * size)
    assert look(tmp_path / "file") == git(tmp_path, "hash-object", "file")


def test_a_file_that_was_left_alone_is_read_once(
    tmp_path: Path, look: Callable[..., str | None], reads: list[str]
):
    (tmp_path / "file").write_text("x")
    assert look(tmp_path / "file") == look(tmp_path / "file")
    assert reads == ["file"]


def test_a_file_that_is_still_young_is_read_every_time(
    tmp_path: Path, look: Callable[..., str | None], reads: list[str]
):
    (tmp_path / "file").write_text("x")
    before = look(tmp_path / "file", after=0)
    (tmp_path / "file").write_text("y")
    assert look(tmp_path / "file", after=0) != before
    assert reads == ["file", "file"]


def test_the_same_size_and_time_do_not_hide_another_content(tmp_path: Path, look: Callable[..., str | None]):
    (tmp_path / "file").write_text("x")
    status = (tmp_path / "file").stat()
    before = look(tmp_path / "file")
    (tmp_path / "new").write_text("y")
    os.utime(tmp_path / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "new").replace(tmp_path / "file")
    assert look(tmp_path / "file") != before


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"mco-contents 1 " + b"0" * 64 + b"\na\0b\0", None])
def test_a_damaged_memory_is_forgotten(
    tmp_path: Path, look: Callable[..., str | None], reads: list[str], damage: bytes | None
):
    (tmp_path / "file").write_text("x")
    known = look(tmp_path / "file")
    memory = tmp_path / "cache" / "contents"
    memory.write_bytes(memory.read_bytes()[:-1] if damage is None else damage)
    assert look(tmp_path / "file") == known
    assert reads == ["file", "file"]


def test_a_memory_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, look: Callable[..., str | None]
):
    (tmp_path / "cache").write_text("a file where a folder should be")
    (tmp_path / "file").write_text("x")
    assert look(tmp_path / "file") == hashlib.sha1(b"blob 1\0x").hexdigest()


def test_no_bytes_of_what_is_no_file_are_read(
    tmp_path: Path, look: Callable[..., str | None], reads: list[str]
):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("x")
    assert look(tmp_path / "pipe") is None
    assert look(tmp_path) is None
    assert look(tmp_path / "link") == hashlib.sha1(b"blob 1\0x").hexdigest() + "@"
    assert reads == []


def test_only_what_was_used_last_is_remembered(tmp_path: Path, look: Callable[..., str | None]):
    for name in ("first", "second"):
        (tmp_path / name).write_text(name)
        look(tmp_path / name)
    memory = (tmp_path / "cache" / "contents").read_bytes()
    assert b"second" in memory
    assert b"first" not in memory
