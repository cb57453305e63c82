"""Looking back over a thousand runs: `mco runs`, and `mco why` of steps that they have too, or that they have not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.rig import surroundings, timed_run
from engine.surroundings import Surroundings

RUNS, STEPS = 1_000, 100
FEW = 10
BODY = """
async def main(args):
    for n in range(args["steps"]):
        await agent(args["task"] + " " + str(n) + " words" * 60, label=args["label"] + str(n), reads=[])
"""
MEASURED = """
import sys
from workflows.cli.main import main
try:
    main(sys.argv[1:])
finally:
    (peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print(peak, file=sys.stderr)
"""


def history(folder: Path) -> list[Figure]:
    """Seconds of the whole command, and its peak memory against the same among ten runs."""
    many, few = _past(folder / "many", RUNS), _past(folder / "few", FEW)
    listed, memory = _best(many, ["runs", "-n", str(RUNS)])
    known, _ = _best(many, ["why", "last", "--json"])
    unknown, searched = _best(many, ["why", _last_but_one(many), "--json"])
    _, floor = _best(few, ["why", _last_but_one(few), "--json"])
    _, listing_floor = _best(few, ["runs", "-n", str(RUNS)])
    seconds = {
        "mco runs, all of 1,000": listed,
        "mco why, 100 steps, 1,000 runs before it": known,
        "the same, steps that no run has": unknown,
    }
    return [
        *(
            Figure(what=what, floor_name="1 s", ours=took, floor=1.0, unit="s", most=1)
            for what, took in seconds.items()
        ),
        Figure(
            what="mco runs among 1,000 runs, peak memory", floor_name="among 10",
            ours=memory, floor=listing_floor, unit="MiB", most=1.2,
        ),
        Figure(
            what="mco why among 1,000 runs, peak memory", floor_name="among 10",
            ours=searched, floor=floor, unit="MiB", most=1.2,
        ),
    ]  # fmt: skip


def _past(folder: Path, runs: int) -> Path:
    """A workspace with so many runs: copies of one that really ran, and three that did.

    The last but one has steps that no other has, the last has those of all others with another prompt each.
    """
    folder.mkdir()
    around = surroundings(folder)
    first = _run(around, "explain", "old")
    for number in range(runs - 3):
        copy = first.with_name(f"2020{number // 60:04}-0000{number % 60:02}-{number:04x}")
        shutil.copytree(first, copy)
        for name in ("journal.jsonl", "run.json"):
            text = (copy / name).read_text()
            (copy / name).write_text(text.replace(first.name, copy.name))
    _run(around, "invent", "unheard-of")
    _run(around, "explain anew", "old")
    return around.workspace


def _run(around: Surroundings, task: str, label: str) -> Path:
    _, outcome = timed_run(around, BODY, {"steps": STEPS, "task": task, "label": label})
    return outcome.folder


def _last_but_one(workspace: Path) -> str:
    runs = (workspace / ".mco" / "runs").glob("*/run.json")
    return sorted(runs, key=lambda facts: facts.stat().st_mtime)[-2].parent.name


def _best(workspace: Path, arguments: Sequence[str]) -> tuple[float, float]:
    """The least seconds and MiB of five times."""
    measured = [_measured(workspace, arguments) for _ in range(5)]
    return min(seconds for seconds, _ in measured), min(memory for _, memory in measured)


def _measured(workspace: Path, arguments: Sequence[str]) -> tuple[float, float]:
    # What the kernel says of an ended child counts the memory of whoever started it, so the child reads its own.
    command = [sys.executable, "-c", MEASURED, *arguments]
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=workspace, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return time.perf_counter() - started, int(done.stderr.split()[-1]) / 1024
