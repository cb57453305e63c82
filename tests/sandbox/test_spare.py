"""A warm worker kept ahead: used once, replaced when it died, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import psutil
import pytest

from engine.errors import WorkerKilled
from engine.sandbox.host import BudgetTotals, Worker
from engine.sandbox.spare import Workers
from tests.sandbox.play import TIGHT, body

pytestmark = pytest.mark.anyio


def process_of(worker: Worker) -> int:
    return worker._process.pid


def spare_of(workers: Workers) -> Worker:
    assert workers._spare is not None
    return workers._spare


async def result_of(worker: Worker, source: str) -> object:
    try:
        await worker.load("test", source.encode())
        return await worker.run({}, BudgetTotals(), lambda frame: None)
    finally:
        worker.kill()


async def test_the_worker_after_the_first_was_started_ahead() -> None:
    workers = Workers(TIGHT, pause=0)
    first = workers.take()
    await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()
    waiting = process_of(spare_of(workers))
    second = workers.take()
    assert process_of(second) == waiting != process_of(first)
    assert await result_of(second, body("return 2")) == 2
    first.kill()
    workers.close()


async def test_each_worker_is_given_to_one_script_only() -> None:
    workers = Workers(TIGHT, pause=0)
    seen: list[int] = []
    for number in range(4):
        worker = workers.take()
        seen.append(process_of(worker))
        assert await result_of(worker, body(f"return {number}")) == number
    workers.close()
    assert len(set(seen)) == 4


async def test_a_spare_that_died_is_replaced() -> None:
    workers = Workers(TIGHT)
    workers.warm()
    spare = spare_of(workers)
    os.kill(process_of(spare), signal.SIGKILL)
    psutil.Process(process_of(spare)).wait()
    worker = workers.take()
    assert process_of(worker) != process_of(spare)
    assert await result_of(worker, body("return 1")) == 1
    workers.close()


async def test_closing_leaves_no_spare_and_starts_none() -> None:
    workers = Workers(TIGHT, pause=0)
    worker = workers.take()
    await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()
    spare = process_of(spare_of(workers))
    workers.close()
    workers.warm()
    worker.kill()
    assert workers._spare is None
    assert not psutil.pid_exists(spare)


async def test_when_no_process_can_be_started_only_taking_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(limits: object) -> Worker:
        raise WorkerKilled("the script's process cannot be started")

    monkeypatch.setattr(Worker, "spawn", refuse)
    workers = Workers(TIGHT)
    workers.warm()
    with pytest.raises(WorkerKilled):
        workers.take()


CRASHING = """
import asyncio, os, sys
from engine.sandbox.limits import WorkerLimits
from engine.sandbox.spare import Workers

async def main():
    workers = Workers(WorkerLimits())
    workers.warm()
    print(workers._spare._process.pid, flush=True)
    {end}

asyncio.run(main())
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os.abort()", "os._exit(3)", "raise SystemExit"])
def test_no_spare_outlives_a_host_that_is_gone(end: str) -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", CRASHING.format(end=end)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    assert host.stdout is not None
    spare = int(host.stdout.readline())
    host.stdout.close()
    host.wait()
    try:
        psutil.Process(spare).wait(timeout=20)
    except psutil.NoSuchProcess:
        return
    assert not psutil.pid_exists(spare)
