"""One process drives a run; everybody can see whether it still does, even after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.errors import StorageFailed, UsageError
from engine.record.lock import RunLock, is_held, wait_until_released

HOLDER = """
import sys
from pathlib import Path
from engine.record.lock import RunLock
RunLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(path: Path) -> Generator[subprocess.Popen[bytes]]:
    """A real process that has the lock until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip() == b"held"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_link_in_the_place_of_a_lock_is_neither_written_through_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StorageFailed):
        RunLock(tmp_path / "lock").acquire()
    assert (tmp_path / "precious").read_text() == "mine"

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageFailed, match="lock cannot be used"):
        is_held(tmp_path / "pipe")


def test_a_second_driver_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as process, pytest.raises(UsageError) as caught:
        RunLock(path).acquire()

    assert caught.value.what == f"the run {tmp_path.name} is being driven by process {process.pid}"


def test_the_lock_of_a_killed_process_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as process:
        assert is_held(path)
        process.kill()
        process.wait()
        wait_until_released(path)

    assert not is_held(path)
    with RunLock(path):
        assert path.read_text() == str(os.getpid())
        assert is_held(path)


def test_releasing_lets_the_next_one_in(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "lock")
    lock.acquire()
    lock.release()
    lock.release()

    assert not is_held(tmp_path / "lock")


def test_where_no_lock_is_nobody_drives(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "lock")
    wait_until_released(tmp_path / "lock")


def test_a_lock_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        RunLock(tmp_path / "missing" / "lock").acquire()
