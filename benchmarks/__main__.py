"""Measures all figures, each group in a process of its own so that none inherits another's memory or caches."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, table

REPORT = Path(__file__).parent.parent / "docs" / "design" / "figures.md"


def _cold(folder: Path) -> list[Figure]:
    from benchmarks.steps import cold

    return [cold(folder)]


def _reused(folder: Path) -> list[Figure]:
    from benchmarks.steps import reused

    return [reused(folder)]


def _at_once(folder: Path) -> list[Figure]:
    from benchmarks.steps import at_once

    return at_once(folder)


def _children(folder: Path) -> list[Figure]:
    from benchmarks.work import children

    return [children(folder)]


def _pipeline(folder: Path) -> list[Figure]:
    from benchmarks.work import pipeline

    return [pipeline(folder)]


def _start(folder: Path) -> list[Figure]:
    from benchmarks.start import start

    return start(folder)


def _sandbox(folder: Path) -> list[Figure]:
    from benchmarks.sandbox import sandbox

    return sandbox(folder)


def _walls(folder: Path) -> list[Figure]:
    from benchmarks.walls import walls

    return walls(folder)


def _hostile(folder: Path) -> list[Figure]:
    from benchmarks.hostile import hostile

    return hostile(folder)


def _flat(folder: Path) -> list[Figure]:
    """Ten times as many reused steps: time and memory of one step stay what they were."""
    few, many = _in_own_process("many-10000"), _in_own_process("many-100000")
    return [
        Figure(
            what="a reused step among 100,000, time", floor_name="among 10,000",
            ours=many[0] * 1000, floor=few[0] * 1000, unit="ms", most=1.2,
        ),
        Figure(
            what="a reused step among 100,000, memory", floor_name="among 10,000",
            ours=many[1], floor=few[1], unit="KiB", most=1.2,
        ),
    ]  # fmt: skip


GROUPS: dict[str, Callable[[Path], list[Figure]]] = {
    "cold": _cold,
    "reused": _reused,
    "at once": _at_once,
    "children": _children,
    "pipeline": _pipeline,
    "start": _start,
    "flat": _flat,
    "sandbox": _sandbox,
    "walls": _walls,
    "hostile": _hostile,
}


def _in_own_process(group: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", group], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _measure(group: str, folder: Path) -> object:
    if group.startswith("many-"):
        from benchmarks.steps import many

        return many(folder, int(group.removeprefix("many-")))
    return [asdict(figure) for figure in GROUPS[group](folder)]


def _all() -> list[Figure]:
    figures: list[Figure] = []
    for group in GROUPS:
        print(f"measuring: {group} …", file=sys.stderr, flush=True)
        figures += [Figure(**facts) for facts in _in_own_process(group)]
        print(figures[-1].row(), file=sys.stderr, flush=True)
    return figures


def _report(figures: list[Figure]) -> str:
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return (
        "# Figures\n\n"
        "What mco itself costs, with the fake provider answering at once, the whole way through worker, frames,\n"
        "keys, store and journal. Each row stands against a floor measured in the same run; ratios travel, "
        "milliseconds do not.\n\n"
        f"Measured by `make bench` with {machine}.\n\n{table(figures)}\n"
    )


def main() -> int:
    """Print the table, or with `--write` put it into the documentation. 1 when a promise is not kept."""
    if len(sys.argv) > 1 and sys.argv[1] != "--write":
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(_measure(sys.argv[1], Path(folder))))
        return 0
    figures = _all()
    print(table(figures))
    if "--write" in sys.argv:
        REPORT.write_text(_report(figures), encoding="utf-8")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
