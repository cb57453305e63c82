"""Children and pipelines: what a run adds to the same work done by plain asyncio."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path

import anyio

from benchmarks.figure import Figure, best
from benchmarks.rig import surroundings, timed_run
from engine.providers.base import Question

CHILDREN = """
async def main(args):
    answers = await parallel([lambda n=n: agent("prompt " + str(n), reads=[]) for n in range(args["children"])])
    return sum(1 for answer in answers if answer)
"""
PIPELINE = """
async def main(args):
    done = await pipeline(
        range(args["items"]),
        lambda item: agent("5", label=str(item), reads=[]),
        lambda previous, item: agent("20", label=str(item), reads=[]),
        lambda previous, item, index: agent("5", label=str(item), reads=[]),
    )
    return sum(1 for answer in done if answer)
"""


def children(folder: Path, count: int = 200, at_once: int = 16) -> Figure:
    """Child processes that answer their standard input, against asyncio's own subprocesses doing the same."""
    fresh = itertools.count()

    def ours() -> float:
        place = folder / f"children-{next(fresh)}"
        place.mkdir()
        around = surroundings(place, tables={"cat": {"command": ["cat"]}}, max_parallel=at_once)
        seconds, outcome = timed_run(around, CHILDREN, {"children": count})
        assert outcome.result == count
        return seconds

    async def floor() -> float:
        places = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            pipe = asyncio.subprocess.PIPE
            async with places:
                child = await asyncio.create_subprocess_exec("cat", stdin=pipe, stdout=pipe, stderr=pipe)
                out, _ = await child.communicate(b"prompt %d" % number)
                assert out

        started = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(count)))
        return time.perf_counter() - started

    wall, floor_wall = best(ours, lambda: asyncio.run(floor()), 30)
    return Figure(
        what="200 child processes, 16 at once", floor_name="asyncio subprocess",
        ours=wall, floor=floor_wall, unit="s", most=1.5,
    )  # fmt: skip


def pipeline(folder: Path, items: int = 200, at_once: int = 16) -> Figure:
    """Items through stages of 5, 20 and 5 ms without a barrier, as many at once in both."""
    fresh = itertools.count()

    async def wait(question: Question) -> str:
        await anyio.sleep(int(question.prompt) / 1000)
        return "done"

    def ours() -> float:
        place = folder / f"pipeline-{next(fresh)}"
        place.mkdir()
        around = surroundings(place, wait, max_parallel=at_once)
        seconds, outcome = timed_run(around, PIPELINE, {"items": items})
        assert outcome.result == items
        return seconds

    async def floor() -> float:
        places = asyncio.Semaphore(at_once)

        async def one() -> None:
            for milliseconds in (5, 20, 5):
                async with places:
                    await asyncio.sleep(milliseconds / 1000)

        started = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(items)))
        return time.perf_counter() - started

    wall, floor_wall = best(ours, lambda: asyncio.run(floor()), 5)
    return Figure(
        what="200 items through stages of 5, 20 and 5 ms", floor_name="asyncio, no barrier",
        ours=wall, floor=floor_wall, unit="s", most=1.3,
    )  # fmt: skip
