"""What the host's memory comes to while every hostile script of the tests is run."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import anyio

from benchmarks.figure import Figure
from engine.errors import MCOError
from engine.sandbox.host import BudgetTotals, Call, Note, Spent, Worker, WorkerLimits

SCRIPTS = Path(__file__).parent.parent / "tests" / "sandbox" / "scripts" / "hostile"
LIMITS = WorkerLimits(cpu_seconds=1, think_seconds=5.0, memory_bytes=256 * 1024 * 1024)
CALLS = 5_000


class _Enough(Exception):
    """The script asked for more than a run takes."""


async def _run(source: bytes, args: dict[str, object]) -> None:
    worker = Worker.spawn(LIMITS)
    frames = 0

    def handle(frame: Call | Note) -> None:
        nonlocal frames
        frames += 1
        if frames > CALLS:
            raise _Enough
        if isinstance(frame, Call):
            worker.reply(frame, "done", {0: Spent()})

    try:
        await worker.load("hostile", source)
        await worker.run(args, BudgetTotals(), handle)
    except (MCOError, _Enough):
        pass  # how each of them ends is what the tests look at
    finally:
        worker.kill()


def hostile(folder: Path) -> list[Figure]:
    """All of them one after the other in one process, as `mco` runs them."""
    args: dict[str, object] = {
        "secret_path": str(folder / "secret"), "canary_path": str(folder / "canary"), "port": 9,
    }  # fmt: skip
    corpus = os.environ.get("MCO_CORPUS")
    folders = [SCRIPTS, *([Path(corpus) / "hostile"] if corpus else [])]
    paths = [path for each in folders for path in sorted(each.glob("*.py"))]

    async def go() -> None:
        for path in paths:
            await _run(path.read_bytes(), args)

    anyio.run(go)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure(
            what=f"host memory while {len(paths)} hostile scripts run", floor_name="150 MiB",
            ours=peak, floor=150, unit="MiB", most=1,
        )
    ]  # fmt: skip
