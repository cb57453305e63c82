"""Running again: a long run taken up, one step edited among many, and large answers."""

from __future__ import annotations

import itertools
import time
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

    seconds, gets = best(ours, lambda: store.get("", steps) * steps, 5)
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


def large(folder: Path, steps: int = 20) -> list[Figure]:
    """What an answer of 1 MiB costs more than a short one, cold and reused, against a plain file of its size."""
    folder.mkdir()
    fresh = itertools.count()

    def run(answer: str) -> tuple[float, float]:
        """Seconds a step, cold and reused."""
        place = folder / str(next(fresh))
        place.mkdir()
        around = surroundings(place, lambda question: answer)
        cold, outcome = timed_run(around, LENGTHS, {"steps": steps})
        assert outcome.result == steps * len(answer)
        again, outcome = timed_run(around, LENGTHS, {"steps": steps})
        assert outcome.steps["reused"] == steps
        return cold / steps, again / steps

    long, short = [run(MEBIBYTE) for _ in range(5)], [run("x") for _ in range(5)]
    written = min(_written(folder) for _ in range(20))
    read = min(_read(folder) for _ in range(20))
    cold = min(pair[0] for pair in long) - min(pair[0] for pair in short)
    again = min(pair[1] for pair in long) - min(pair[1] for pair in short)
    return [
        Figure(
            what="an answer of 1 MiB, cold, more than a short one", floor_name="file write",
            ours=cold * 1000, floor=written * 1000, unit="ms", most=3,
        ),
        Figure(
            what="an answer of 1 MiB, reused, more than a short one", floor_name="file read",
            ours=again * 1000, floor=read * 1000, unit="ms", most=3,
        ),
    ]  # fmt: skip


def _written(folder: Path) -> float:
    started = time.perf_counter()
    (folder / "floor").write_text(MEBIBYTE, encoding="utf-8")
    return time.perf_counter() - started


def _read(folder: Path) -> float:
    started = time.perf_counter()
    assert len((folder / "floor").read_text(encoding="utf-8")) == len(MEBIBYTE)
    return time.perf_counter() - started
