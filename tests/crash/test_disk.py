"""A disk that is full or becomes read-only in the middle of a run: it fails in order, and is taken up again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.crash.harness import RUN, Bench, ends_as_expected, follow, result_of_newest, undisturbed


class Disk:
    """A file system in memory, mounted on a folder."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))

    def remount(self, options: str) -> None:
        _run("mount", "-o", f"remount,{options}", str(self.folder))

    def fill(self) -> Path:
        """Leave no room; the file that takes it."""
        filler = self.folder / "filler"
        with suppress(OSError), filler.open("wb", 0) as file:
            while file.write(bytes(4096)):
                pass
        return filler

    def unmount(self) -> None:
        _run("umount", "--lazy", str(self.folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def disks() -> Generator[list[Disk]]:
    """Those that a test mounts; they are gone after it."""
    mounted: list[Disk] = []
    yield mounted
    for disk in mounted:
        disk.unmount()


def mounted(disks: list[Disk], folder: Path, size: str) -> Disk:
    """A disk of that size, where mounting is permitted."""
    try:
        disks.append(Disk(folder, size))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a file system")
    return disks[-1]


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")


@pytest.fixture
def expected(tmp_path: Path) -> object:
    return undisturbed(Bench(tmp_path / "undisturbed"))


def test_a_disk_that_fills_up_under_the_run_loses_no_finished_step(
    tmp_path: Path, disks: list[Disk], expected: object
):
    bench = Bench(tmp_path / "bench")
    disk = mounted(disks, bench.workspace / ".mco", "48k")
    ended = follow(bench.start(*RUN, "--stream", "jsonl"))
    assert ended.code == 1
    assert "No space left on device" in ended.errors
    assert "Traceback" not in ended.errors
    disk.remount("size=16m")
    ends_as_expected(bench, expected)


def test_a_disk_that_became_read_only_is_said_and_costs_nothing(
    tmp_path: Path, disks: list[Disk], expected: object
):
    bench = Bench(tmp_path / "bench")
    disk = mounted(disks, bench.workspace / ".mco", "16m")
    follow(bench.start(*RUN, "--stream", "jsonl"), after=60)
    disk.remount("ro")  # which the kernel refuses while a run has its files open there
    ended = follow(bench.start("resume"))
    assert ended.code not in (0, 130)
    assert "Read-only file system" in ended.errors
    assert "Traceback" not in ended.errors
    disk.remount("rw")
    ends_as_expected(bench, expected)


def test_without_room_for_answers_the_run_still_ends_well_and_says_so(
    tmp_path: Path, disks: list[Disk], expected: object
):
    bench = Bench(tmp_path / "bench")
    mounted(disks, tmp_path / "bench" / "cache", "256k")
    ended = follow(bench.start(*RUN))
    assert ended.code == 0, ended.errors
    assert result_of_newest(bench) == expected
    assert "could not be kept" in ended.errors


def test_a_disk_that_is_full_when_a_run_begins_takes_no_answer_away(tmp_path: Path, disks: list[Disk]):
    bench = Bench(tmp_path / "bench")
    disk = mounted(disks, tmp_path / "bench" / "cache", "16m")
    undisturbed(bench)
    asked = bench.asked()
    filler = disk.fill()
    ended = follow(bench.start(*RUN))
    assert ended.code == 1
    assert "the answer store cannot be opened" in ended.errors
    assert "has room" in ended.errors
    filler.unlink()
    undisturbed(bench)
    assert bench.asked() == asked
