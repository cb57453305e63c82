"""Running again: a long run taken up, one step edited among many, and large answers."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, best
from benchmarks.rig import surroundings, timed_run
from benchmarks.steps import ANSWER, CONTEXT, Store
from engine.surroundings import Surroundings

FAN = """
async def main(args):
    for round in range(args["steps"] // 500):
        asked = [lambda n=n: agent(f"{args['context']}{round} {n}", reads=[]) for n in range(500)]
        await parallel(asked)
    return args["steps"]
"""
SEQUENCE = """
async def main(args):
    said = ""
    for number in range(args["steps"]):
        edited = " now" if number == args.get("edited") else ""
        said = await agent(f"step {number}{edited}", reads=[])
    return said
"""
LENGTHS = """
async def main(args):
    return sum([len(await agent(f"answer {number}", reads=[])) for number in range(args["steps"])])
"""
MEBIBYTE = "x" * 1024 * 1024
_AGAIN = 3
"""How often what was written is read in a round, since reading it takes a fraction of writing it."""


def resumed(folder: Path, steps: int = 10_000) -> Figure:
    """A run of many finished steps is taken up again, against making as many keys and getting their rows."""
    folder.mkdir()
    around = surroundings(folder, lambda question: ANSWER, max_parallel=500)
    args = {"steps": steps, "context": CONTEXT}
    _, first = timed_run(around, FAN, args)
    store = Store(folder / "floor")
    store.set("", steps)

    def ours() -> float:
        seconds, outcome = timed_run(around, FAN, args, parent=first.run_id)
        assert outcome.steps["reused"] == steps
        return seconds

    seconds, gets = best(ours, lambda: store.get("", steps) * steps, 5, times=7)
    return Figure(
        what="a run of 10,000 finished steps, taken up again", floor_name="key + diskcache get",
        ours=seconds, floor=gets, unit="s", most=8,
    )  # fmt: skip


def edited(folder: Path, steps: int = 1_000) -> Figure:
    """One step among many is edited: it runs, the others are found, in little more time than finding all."""
    folder.mkdir()
    around = surroundings(folder, lambda question: ANSWER)
    timed_run(around, SEQUENCE, {"steps": steps})
    places = itertools.count(steps // 2)

    def ours() -> float:
        return _one_ran(around, steps, {"steps": steps, "edited": next(places)})

    def whole() -> float:
        seconds, outcome = timed_run(around, SEQUENCE, {"steps": steps})
        assert outcome.steps["reused"] == steps
        return seconds

    seconds, reused = best(ours, whole, 5)
    return Figure(
        what="1,000 steps of which one was edited", floor_name="the same, all reused",
        ours=seconds, floor=reused, unit="s", most=2,
    )  # fmt: skip


def _one_ran(around: Surroundings, steps: int, args: dict[str, Any]) -> float:
    seconds, outcome = timed_run(around, SEQUENCE, args)
    assert (outcome.steps["finished"], outcome.steps["reused"]) == (1, steps - 1)
    return seconds


def large(folder: Path, steps: int = 100) -> list[Figure]:
    """What an answer of 1 MiB costs more than a short one, cold and reused, against as many plain files of its size."""
    folder.mkdir()
    fresh = itertools.count()

    def run(answer: str) -> tuple[float, float]:
        """Seconds a step, cold and reused."""
        place = folder / str(next(fresh))
        place.mkdir()
        around = surroundings(place, lambda question: answer)
        cold, outcome = timed_run(around, LENGTHS, {"steps": steps})
        assert outcome.result == steps * len(answer)
        again = 0.0
        for _ in range(_AGAIN):
            seconds, outcome = timed_run(around, LENGTHS, {"steps": steps})
            assert outcome.steps["reused"] == steps
            again += seconds / _AGAIN
        _empty(place)
        return cold / steps, again / steps

    cold: list[tuple[float, float]] = []
    again: list[tuple[float, float]] = []
    for number in range(15):
        long, short = run(MEBIBYTE), run("x")
        written, read = _files(folder / f"floor-{number}", steps)
        cold.append((long[0] - short[0], written))
        again.append((long[1] - short[1], read))
    return [
        _typical("an answer of 1 MiB, cold, more than a short one", "file write", cold),
        _typical("an answer of 1 MiB, reused, more than a short one", "file read", again),
    ]


def _typical(what: str, floor_name: str, pairs: Sequence[tuple[float, float]]) -> Figure:
    """The pair in the middle: what a disk takes now and in a minute may be twice as much, for us as for the floor."""
    ours, floor = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
    return Figure(what=what, floor_name=floor_name, ours=ours * 1000, floor=floor * 1000, unit="ms", most=3)


def _empty(folder: Path) -> None:
    """Take back what was written before the disk is busy with it. The files stay: for some seconds after many were
    deleted ext4 looks at each of them before it makes another, which takes as long as writing it.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)


def _files(folder: Path, count: int) -> tuple[float, float]:
    """Seconds a file to write and to read it."""
    folder.mkdir()
    paths = [folder / str(number) for number in range(count)]
    started = time.perf_counter()
    for path in paths:
        path.write_text(MEBIBYTE, encoding="utf-8")
    written = time.perf_counter()
    for path in _AGAIN * paths:
        assert len(path.read_text(encoding="utf-8")) == len(MEBIBYTE)
    read = time.perf_counter()
    _empty(folder)
    return (written - started) / count, (read - written) / (_AGAIN * count)
