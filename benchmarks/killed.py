"""Kills at random moments: of single children, and of mco itself; then whatever still runs is counted."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
from pathlib import Path

import anyio

from benchmarks.figure import Figure
from benchmarks.rig import SYSTEM
from engine import process
from engine.process import Command, run_child
from engine.process_watch import household

# Ignores the polite signal, forks for a while, and sends its children into sessions of their own; their grandchildren
# have lost their parents. Whoever is left is known by the number of seconds that it sleeps.
TREE = """
trap '' TERM
sleep {number} &
setsid sh -c 'trap "" TERM; sleep {number} & sleep {number}; :' &
(setsid sh -c 'sleep {number} & setsid sleep {number} & exit' &)
for turn in 1 2 3 4 5 6; do sleep 0.02; sleep {number} & setsid sleep {number} & done
wait
"""
AT_ONCE = 10
LONGEST = 0.15
"""Seconds until a kill; by then a tree stands and has grown for a while."""


def killed(cancelled: int = 150, murdered: int = 50) -> Figure:
    """So many steps are cancelled, and so often mco is killed while it runs some."""
    chance = random.Random(5)
    number = f"4242.{os.getpid()}"
    anyio.run(_cancel, cancelled, number, chance)
    for start in range(0, murdered, AT_ONCE):
        _murder(min(AT_ONCE, murdered - start), number, chance)
    return Figure(
        what="processes left after kills at random moments", floor_name="kills",
        ours=len(_asleep(number)), floor=cancelled + murdered, unit="", most=0,
    )  # fmt: skip


def run_trees(number: str) -> None:
    """What is killed as mco: it says who watches, and runs some trees."""

    async def run() -> None:
        with household() as ours:
            ours.admit()
            assert ours.watch is not None
            print(ours.watch.pid, flush=True)
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(run_child, _tree(number), _listen)

    anyio.run(run)


def _tree(number: str) -> Command:
    return Command(("/bin/sh", "-c", TREE.format(number=number)), Path("/"), SYSTEM)


def _listen(_line: bytes) -> None:
    """They say nothing."""


async def _cancel(count: int, number: str, chance: random.Random) -> None:
    places = anyio.CapacityLimiter(AT_ONCE)

    async def one(after: float) -> None:
        async with places:
            with anyio.move_on_after(after):
                await run_child(_tree(number), _listen)

    grace, process.GRACE_SECONDS = process.GRACE_SECONDS, 0.05  # they would ignore the whole of it
    try:
        with household():
            async with anyio.create_task_group() as tasks:
                for _ in range(count):
                    tasks.start_soon(one, chance.uniform(0, LONGEST))
    finally:
        process.GRACE_SECONDS = grace


def _murder(count: int, number: str, chance: random.Random) -> None:
    code = f"from benchmarks.killed import run_trees; run_trees({number!r})"
    ours = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    watches = [os.pidfd_open(int(_first_line(mco))) for mco in ours]
    for mco in ours:
        select.select([], [], [], chance.uniform(0, 2 * LONGEST / count))
        mco.kill()
    for mco, watch in zip(ours, watches, strict=True):
        mco.wait()
        select.select([watch], [], [])  # it ends when nobody is left to end
        os.close(watch)


def _first_line(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout is not None
    with child.stdout as said:
        return said.readline()


def _asleep(number: str) -> list[int]:
    """Who sleeps for that long, or runs a shell that was to start such a one."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if number.encode() in words and entry.parent.name != str(os.getpid()):
            found.append(int(entry.parent.name))
    return found
