from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.process import Command, run_child
from engine.process_pipes import OUTPUT_BYTES, filled_pipe

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")


def _drain(end: int) -> bytes:
    with os.fdopen(end, "rb") as pipe:
        return pipe.read()


@pytest.mark.parametrize("data", [b"", b"one line\n", b"x" * 4096])
def test_a_filled_pipe_holds_all_of_its_input_and_then_ends(data: bytes):
    end = filled_pipe(data)

    assert end is not None
    assert _drain(end) == data


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_input_that_does_not_fit_leaves_no_pipe_behind():
    before = len([*Path("/proc/self/fd").iterdir()])

    assert filled_pipe(b"x" * (OUTPUT_BYTES + 1)) is None
    assert len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.anyio
@pytest.mark.parametrize("size", [0, 10, 65_536, 3_000_000])
async def test_a_child_reads_all_of_its_input_whatever_its_size(size: int, tmp_path: Path):
    lines: list[bytes] = []
    command = Command(("wc", "-c"), tmp_path, {"PATH": os.environ["PATH"]}, b"x" * size)

    ended = await run_child(command, lines.append)

    assert ended.code == 0
    assert int(lines[0]) == size


@pytest.mark.anyio
async def test_a_child_may_open_its_input_by_name(tmp_path: Path):
    lines: list[bytes] = []
    command = Command(("cat", "/dev/stdin"), tmp_path, {"PATH": os.environ["PATH"]}, b"by name\n")

    ended = await run_child(command, lines.append)

    assert (ended.code, lines) == (0, [b"by name"])
