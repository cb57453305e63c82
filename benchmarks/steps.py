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
import psutil

from benchmarks.figure import Figure, best
from benchmarks.rig import surroundings, timed_run
from engine.step import KeyMaker, ProviderChoice, Step
from engine.store.kept import KeptAnswer

# A prompt of 2 KiB and an answer of 1 KiB: small for an agent, and what the floor makes keys of and keeps too.
CONTEXT = "Look at the change below and say what could break.\n" + "    some line of code to look at\n" * 61
ANSWER = "Nothing in this change can break, since every caller passes it. " * 16
SEQUENCE = """
async def main(args):
    for number in range(args["steps"]):
        await agent(args["context"] + str(number), reads=[])
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


def _answer(question: object) -> str:
    return ANSWER


class Store:
    """The floor: keys made and rows set or got in a plain diskcache, without a run around it."""

    def __init__(self, folder: Path) -> None:
        self._cache: Any = diskcache.Cache(str(folder), statistics=0, tag_index=0, **TUNED)
        self._row = KeptAnswer(value=ANSWER, provider="fake", run="20260101-000000-0000", made_at=1.0)

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
        key = maker.key(Step(prompt=f"{CONTEXT}{prefix}{number}", reads=(), providers=choice), None)
        yield key.digest, dict(key.parts)


def cold(folder: Path, steps: int = 1000) -> Figure:
    """A new step, stored, against making its key and setting its row."""
    store, fresh = Store(folder / "floor"), itertools.count()

    def ours() -> float:
        place = folder / f"cold-{next(fresh)}"
        place.mkdir()
        return (
            timed_run(surroundings(place, _answer), SEQUENCE, {"steps": steps, "context": CONTEXT})[0] / steps
        )

    ours_seconds, floor = best(ours, lambda: store.set(f"{next(fresh)}-", steps), 9, times=4)
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
    around = surroundings(folder, _answer)
    timed_run(around, SEQUENCE, {"steps": steps, "context": CONTEXT})

    def ours() -> float:
        seconds, outcome = timed_run(around, SEQUENCE, {"steps": steps, "context": CONTEXT})
        assert outcome.steps["reused"] == steps
        return seconds / steps

    ours_seconds, floor = best(ours, lambda: store.get("", steps), 15, times=7)
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
    fresh, answers = itertools.count(), itertools.count()
    workers: list[int] = []

    async def wait(question: object) -> str:
        await anyio.sleep(seconds)
        if next(answers) % 250 == 0:
            workers.append(sum(child.memory_info().rss for child in psutil.Process().children()))
        return "done"

    async def gather() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(asyncio.sleep(seconds) for _ in range(steps)))
        return time.perf_counter() - started

    def ours() -> float:
        place = folder / f"once-{next(fresh)}"
        place.mkdir()
        return timed_run(surroundings(place, wait, max_parallel=steps), AT_ONCE, {"steps": steps})[0]

    wall, floor = best(ours, lambda: asyncio.run(gather()), 7)
    # The kernel's own peak of a child counts what it was forked from; what it really has is read while it runs.
    peak = _peak() / 1024 + max(workers) / 2**20
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


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux


def many(folder: Path, steps: int) -> tuple[float, float]:
    """Seconds and KiB of memory a step when that many are reused in one run."""
    around = surroundings(folder, _answer)
    _fill(around.workspace_cache / "answers", steps)
    before = _peak()
    seconds, outcome = timed_run(around, SEQUENCE, {"steps": steps, "context": CONTEXT})
    assert outcome.steps["reused"] == steps
    return seconds / steps, (_peak() - before) / steps


def _fill(folder: Path, steps: int) -> None:
    """Put the answers there without running the steps, which would only take longer."""
    from engine.step import Answer, Key
    from engine.store.cache import AnswerCache

    cache = AnswerCache(folder)
    answer = Answer(value=ANSWER, provider="fake")
    for digest, parts in _keys("", steps):
        cache.put(Key(digest, parts), answer, run="20260101-000000-0000", made_at=time.time())
    cache.close()
