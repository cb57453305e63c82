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


def _history(folder: Path) -> list[Figure]:
    from benchmarks.history import history

    return history(folder)


def _calls(folder: Path) -> list[Figure]:
    from benchmarks.providers import calls

    return calls(folder)


def _real_calls(folder: Path) -> list[Figure]:
    from benchmarks.real_programs import real_calls

    return real_calls(folder)


def _noticing(folder: Path) -> list[Figure]:
    from benchmarks.providers import noticing

    return [noticing(folder)]


def _together(folder: Path) -> list[Figure]:
    from benchmarks.providers import together

    return [together(folder)]


def _large(folder: Path) -> list[Figure]:
    """Each in a process of its own: the memory that one needed would be there for the next."""
    return [
        Figure(**facts)
        for kind in ("text", "claude", "gemini", "run")
        for facts in _in_own_process(f"large-{kind}")
    ]


def _killed(folder: Path) -> list[Figure]:
    from benchmarks.killed import killed

    return [killed()]


def _reruns(folder: Path) -> list[Figure]:
    from benchmarks.reruns import edited, large, resumed

    return [resumed(folder / "resumed"), edited(folder / "edited"), *large(folder / "large")]


def _workspace(folder: Path) -> list[Figure]:
    from benchmarks.workspace import workspace

    return workspace(folder)


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
    "calls": _calls,
    "real calls": _real_calls,
    "noticing": _noticing,
    "together": _together,
    "large": _large,
    "killed": _killed,
    "start": _start,
    "history": _history,
    "flat": _flat,
    "reruns": _reruns,
    "workspace": _workspace,
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
    if group.startswith("large-"):
        from benchmarks.providers import large, large_run

        kind = group.removeprefix("large-")
        return [asdict(large_run(folder) if kind == "run" else large(folder, kind))]
    return [asdict(figure) for figure in GROUPS[group](folder)]


def _all() -> list[Figure]:
    figures: list[Figure] = []
    for group in GROUPS:
        print(f"measuring: {group} …", file=sys.stderr, flush=True)
        found = [Figure(**facts) for facts in _in_own_process(group)]
        print("\n".join(figure.row() for figure in found), file=sys.stderr, flush=True)
        figures += found
    return figures


def _report(figures: list[Figure]) -> str:
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return (
        "# Figures\n\n"
        "What mco itself costs, the whole way through worker, frames, keys, store and journal; where no program is\n"
        "named, with the fake provider answering at once. Each row stands against a floor measured in the same run;\n"
        "ratios travel, milliseconds do not. Most are the best of several rounds taken in turns, and a floor\n"
        "that takes a fraction of the time is measured so often in each that it takes about as long.\n\n"
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
