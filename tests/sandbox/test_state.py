"""Nothing is left of a run: each has a worker of its own, and nothing that a script changes outlives it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from engine.errors import ScriptFailed, WorkerKilled
from engine.sandbox.host import BudgetTotals, Call, Note, Spent, Worker
from tests.sandbox.play import META, TIGHT, body, play

pytestmark = pytest.mark.anyio

REMEMBERING = (
    META
    + """
import collections
import itertools
import json
import re

counter = itertools.count()
cached = {}


def remember(item, kept=[]):
    kept.append(item)
    return len(kept)


def mark(what):
    \"\"\"Every way there might be to leave something in what all runs import.\"\"\"
    for name in ("mark", "__dict__", "__init__", "__setattr__", "_members"):
        try:
            getattr(what, name)("json", {"mark": 1})
        except Exception:
            continue


async def main(args):
    global str
    before = [next(counter), remember(1), len(cached), hasattr(json, "mark"), json.dumps([1]), str(2)]
    for what in (json, re, collections, agent, budget, str, AgentError, collections.Counter):
        mark(what)
    cached[re.sub(r"(?P<x>a)", "b", "a")] = await agent("a")
    with budget(10):
        await parallel([agent("b"), agent("c")])
    args["seen"], meta["name"], str = True, "other", repr
    return [before, budget.spent(), sorted(args), next(counter)]
"""
)


async def test_a_script_that_remembers_all_it_can_finds_nothing_the_next_time() -> None:
    runs = [(await play(REMEMBERING, {"n": 1})).result for _ in range(3)]
    assert runs[0] == [[0, 1, 0, False, "[1]", "2"], 10, ["n", "seen"], 1]
    assert runs[1:] == runs[:2]


async def test_identifiers_and_budgets_begin_anew() -> None:
    script = body("with budget(5) as small:\n    await agent('a')\nreturn small.spent()")
    plays = [await play(script) for _ in range(2)]
    assert [[call.id for call in each.calls] for each in plays] == [[1], [1]]
    assert plays[0].notes[0].arguments["open"] == 1
    assert plays[0].notes == plays[1].notes


async def test_a_worker_serves_one_run_and_no_other() -> None:
    def answer(frame: Call | Note) -> None:
        if isinstance(frame, Call):
            worker.reply(frame, "x", {0: Spent()})

    worker = Worker.spawn(TIGHT)
    try:
        await worker.load("test", body("return await agent('x')").encode())
        assert await worker.run({}, BudgetTotals(), answer) == "x"
        with pytest.raises(WorkerKilled):
            await worker.run({}, BudgetTotals(), answer)
    finally:
        worker.kill()


async def test_what_two_runs_do_at_once_stays_apart() -> None:
    script = (
        META
        + "seen = []\nasync def main(args):\n    seen.append(args)\n    await agent('x')\n    return seen\n"
    )
    held: list[tuple[Worker, Call]] = []

    def hold(worker: Worker, call: Call) -> None:
        held.append((worker, call))
        if len(held) == 2:
            for each in held:
                each[0].reply(each[1], "x", {})

    results: dict[Any, Any] = {}

    async def run(name: str) -> None:
        results[name] = (await play(script, {"name": name}, answer=hold)).result

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, "one")
        tasks.start_soon(run, "two")
    assert results == {"one": [{"name": "one"}], "two": [{"name": "two"}]}


async def test_a_run_that_failed_leaves_nothing_either() -> None:
    script = META + "kept = []\nasync def main(args):\n    kept.append(1)\n    raise ValueError(len(kept))\n"
    for _ in range(2):
        with pytest.raises(ScriptFailed) as caught:
            await play(script)
        assert caught.value.why == "ValueError: 1"
