"""From the command to the first step, and to its help."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figure import Figure, best

SCRIPT = """meta = {"name": "start", "description": "one step"}


async def main(args):
    return await agent("hello", reads=[])
"""


def start(folder: Path) -> list[Figure]:
    """`mco run` to its first StepQueued, and `mco --help`, against an interpreter that does nothing."""
    command = shutil.which("mco", path=str(Path(sys.executable).parent))
    assert command is not None, "mco is not installed beside this interpreter"
    (folder / "start.py").write_text(SCRIPT)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}

    def first_step() -> float:
        started = time.perf_counter()
        with subprocess.Popen(
            [command, "run", "./start.py", "--trust", "--provider", "fake", "--fresh", "--stream", "jsonl"],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            for line in child.stdout:
                if b'"StepQueued"' in line:
                    seconds = time.perf_counter() - started
                    child.communicate()
                    return seconds
        raise RuntimeError("no step was queued")

    def help_text() -> float:
        return _timed([command, "--help"], folder, environment)

    def nothing() -> float:
        return _timed([sys.executable, "-c", "pass"], folder, environment)

    step, floor = best(first_step, nothing, 15, times=19)
    shown, help_floor = best(help_text, nothing, 15, times=7)
    return [
        Figure(
            what="process start to the first step queued", floor_name="python -c pass",
            ours=step * 1000, floor=floor * 1000, unit="ms", most=20,
        ),
        Figure(
            what="mco --help", floor_name="python -c pass",
            ours=shown * 1000, floor=help_floor * 1000, unit="ms", most=10,
        ),
    ]  # fmt: skip


def _timed(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started
