"""Steps in sequence, at once and in great numbers: cold, reused, and flat as the store grows."""

from __future__ import annotations

import asyncio
import itertools
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import diskcache

from benchmarks.figure import Figure, medians
from benchmarks.rig import surroundings, timed_run
from engine.dispatch.cache import KeptAnswer
from engine.step import KeyMaker, ProviderChoice, Step

SEQUENCE = """
async def main(args):
    for number in range(args["steps"]):
        await agent("question " + str(number), reads=[])
    return args["steps"]
"""
AT_ONCE = """
async def main(args):
    answers = await parallel([lambda n=n: agent(str(n), reads=[]) for n in range(args["steps"])])
    return len(answers)
"""
# What diskcache needs to be quick, as its documentation and ours say.
TUNED: dict[str, Any] = {
    "eviction_policy": "none",
    "cull_limit": 0,
    "sqlite_auto_vacuum": 0,
    "sqlite_synchronous": 1,
}


class Store:
    """The floor: keys made and rows set or got in a plain diskcache, without a run around it."""

    def __init__(self, folder: Path) -> None:
        self._cache: Any = diskcache.Cache(str(folder), statistics=0, tag_index=0, **TUNED)
        self._row = KeptAnswer(value="done", provider="fake", run="20260101-000000-0000", made_at=1.0)

    def set(self, prefix: str, steps: int) -> float:
        """Seconds a step to make its key and set its row."""
        started = time.perf_counter()
        for digest, parts in _keys(prefix, steps):
            self._cache.set(digest, self._row.model_copy(update={"parts": parts}).model_dump_json())
        return (time.perf_counter() - started) / steps

    def get(self, prefix: str, steps: int) -> float:
        """Seconds a step to make its key and get its row."""
        started = time.perf_counter()
        for digest, _ in _keys(prefix, steps):
            assert self._cache.get(digest) is not None
        return (time.perf_counter() - started) / steps


def _keys(prefix: str, steps: int) -> Iterator[tuple[str, dict[str, Any]]]:
    maker = KeyMaker()
    choice = (ProviderChoice(name="fake"),)
    for number in range(steps):
        key = maker.key(Step(prompt=f"{prefix}{number}", reads=(), providers=choice), None)
        yield key.digest, dict(key.parts)


def cold(folder: Path, steps: int = 1000) -> Figure:
    """A new step, stored, against making its key and setting its row."""
    store, fresh = Store(folder / "floor"), itertools.count()

    def ours() -> float:
        place = folder / f"cold-{next(fresh)}"
        place.mkdir()
        return timed_run(surroundings(place), SEQUENCE, {"steps": steps})[0] / steps

    ours_seconds, floor = medians(ours, lambda: store.set(f"{next(fresh)}-", steps), 3)
    return Figure(
        what="a cold step, 1,000 in sequence, each stored",
        floor_name="key + diskcache set, tuned",
        ours=ours_seconds * 1000,
        floor=floor * 1000,
        unit="ms",
        most=4,
    )


def reused(folder: Path, steps: int = 1000) -> Figure:
    """A reused step against making its key and getting its row."""
    store = Store(folder / "floor")
    store.set("", steps)
    around = surroundings(folder)
    timed_run(around, SEQUENCE, {"steps": steps})

    def ours() -> float:
        seconds, outcome = timed_run(around, SEQUENCE, {"steps": steps})
        assert outcome.steps["reused"] == steps
        return seconds / steps

    ours_seconds, floor = medians(ours, lambda: store.get("", steps), 5)
    return Figure(
        what="a reused step, 1,000 in sequence",
        floor_name="key + diskcache get",
        ours=ours_seconds * 1000,
        floor=floor * 1000,
        unit="ms",
        most=8,
    )


def at_once(folder: Path, steps: int = 1000, seconds: float = 0.1) -> list[Figure]:
    """A thousand steps of 100 ms at once: wall clock against asyncio's gather, and the memory of all of it."""
    fresh = itertools.count()

    async def wait(question: object) -> str:
        await anyio.sleep(seconds)
        return "done"

    async def gather() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(asyncio.sleep(seconds) for _ in range(steps)))
        return time.perf_counter() - started

    def ours() -> float:
        place = folder / f"once-{next(fresh)}"
        place.mkdir()
        return timed_run(surroundings(place, wait, max_parallel=steps), AT_ONCE, {"steps": steps})[0]

    wall, floor = medians(ours, lambda: asyncio.run(gather()), 3)
    peak = (_peak(resource.RUSAGE_SELF) + _peak(resource.RUSAGE_CHILDREN)) / 1024
    return [
        Figure(
            what="1,000 steps of 100 ms at once", floor_name="asyncio.gather",
            ours=wall, floor=floor, unit="s", most=4,
        ),
        Figure(
            what="the same, peak memory of mco and its worker", floor_name="100 MiB",
            ours=peak, floor=100.0, unit="MiB", most=1,
        ),
    ]  # fmt: skip


def _peak(who: int) -> float:
    return resource.getrusage(who).ru_maxrss  # KiB on Linux


def many(folder: Path, steps: int) -> tuple[float, float]:
    """Seconds and KiB of memory a step when that many are reused in one run."""
    around = surroundings(folder)
    _fill(around.cache_folder / "answers", steps)
    before = _peak(resource.RUSAGE_SELF)
    seconds, outcome = timed_run(around, SEQUENCE, {"steps": steps})
    assert outcome.steps["reused"] == steps
    return seconds / steps, (_peak(resource.RUSAGE_SELF) - before) / steps


def _fill(folder: Path, steps: int) -> None:
    """Put the answers there without running the steps, which would only take longer."""
    from engine.dispatch.cache import AnswerCache
    from engine.step import Answer, Key

    cache = AnswerCache(folder)
    answer = Answer(value="done", provider="fake")
    for digest, parts in _keys("question ", steps):
        cache.put(Key(digest, parts), answer, run="20260101-000000-0000", made_at=time.time())
    cache.close()
