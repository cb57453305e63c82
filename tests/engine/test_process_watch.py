"""Whatever happens to mco, nothing that its children started stays: real trees, real signals."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from engine import process, process_watch
from engine.process import Command, Exit, child_environment, run_child
from engine.process_tree import MARKER
from engine.process_watch import Household, household
from engine.providers.base import Question
from tests.rig import Rig

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]

# Each `sleep` has the test's own number of seconds: whoever still runs is found by it, environment or not.
TREE = """
trap '' TERM
sleep {number} &
setsid sh -c 'trap "" TERM; sleep {number} & sleep {number}; :' &
(setsid sh -c 'sleep {number} & setsid sleep {number} & exit' &)
(env -i {path} sleep {number} &)
{further}
echo ready
sleep {number}
:
"""
# Without its environment and in a session of its own it is known by its parent alone, and only while that lives.
HIDDEN = "env -i {path} setsid sleep {number} &"
PATH = "PATH=/usr/bin:/bin"
# Runs some trees at once, says who watches, and repeats what they say.
DRIVER = """
import sys
from pathlib import Path
import anyio
from engine.process import Command, run_child
from engine.process_watch import household

def say(line):
    print(line.decode(), flush=True)

async def main():
    command = Command(("/bin/sh", "-c", sys.argv[1]), Path("/"), {"PATH": "/usr/bin:/bin"})
    with household() as ours:
        ours.admit()
        print(ours.watch.pid, flush=True)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(run_child, command, say)

anyio.run(main)
"""


@pytest.fixture
def number(request: pytest.FixtureRequest) -> str:
    """Seconds that nobody else sleeps for."""
    return f"300.{os.getpid()}{abs(hash(request.node.nodeid)) % 10**9:09d}"


def tree(number: str, further: str = "") -> str:
    return TREE.format(number=number, path=PATH, further=further.format(number=number, path=PATH))


def asleep(number: str) -> list[int]:
    """Who still sleeps for that long, or runs a shell that was to start such a one."""
    return [pid for pid, words in command_lines() if number.encode() in words and pid != os.getpid()]


def command_lines() -> Iterator[tuple[int, bytes]]:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield int(entry.parent.name), entry.read_bytes()
        except OSError:
            continue


def command(script: str) -> Command:
    return Command(("/bin/sh", "-c", script), Path("/"), child_environment(os.environ))


async def run(script: str, **limits: float) -> tuple[Exit, list[bytes]]:
    lines: list[bytes] = []
    return await run_child(command(script), lines.append, **limits), lines


def wait_for_end_of(handle: int) -> None:
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    waiting.poll()


@pytest.mark.parametrize("heard", [0, 1, 2, 3], ids=lambda heard: f"after {heard} of 3 trees stand")
def test_nothing_is_left_when_mco_is_killed(number: str, heard: int):
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, tree(number)], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    with driver.stdout as said:
        watch = os.pidfd_open(int(said.readline()))
        for _ in range(heard):
            assert said.readline() == "ready\n"
        driver.kill()
        driver.wait()
    wait_for_end_of(watch)
    os.close(watch)
    assert asleep(number) == []


async def test_nothing_is_left_when_a_child_is_cancelled(number: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.05)
    stands = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_child, command(tree(number, HIDDEN)), lambda _line: stands.set())
        await stands.wait()
        tasks.cancel_scope.cancel()
    assert asleep(number) == []


async def test_children_that_are_cancelled_together_all_die(number: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.05)
    stand: list[bytes] = []
    all_stand = anyio.Event()

    def hear(line: bytes) -> None:
        stand.append(line)
        if len(stand) == 8:
            all_stand.set()

    with household():
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(run_child, command(tree(number, HIDDEN)), hear)
            await all_stand.wait()
            tasks.cancel_scope.cancel()
        assert asleep(number) == []


async def test_what_a_child_leaves_behind_ends_with_the_household(number: str):
    with household():
        ended, lines = await run(f"setsid sleep {number} > /dev/null 2>&1 & echo answer")
        assert (ended.code, lines) == (0, [b"answer"])
    assert asleep(number) == []


async def test_what_a_child_leaves_behind_does_not_wait_for_the_household(
    number: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process_watch, "SETTLE_SECONDS", 0.01)
    with household():
        await run(f"setsid sleep {number} > /dev/null 2>&1 &")
        with anyio.fail_after(30):
            while asleep(number):  # noqa: ASYNC110  nobody tells us of strangers' deaths
                await anyio.sleep(0.005)


async def test_the_children_that_still_run_are_left_alone(number: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process_watch, "SETTLE_SECONDS", 0.01)
    with household() as ours:
        outcome: list[Exit] = []

        async def wait() -> None:
            outcome.append((await run(f"read word; echo $word; : {number}"))[0])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await run("setsid sleep 300 > /dev/null 2>&1 &")
            ours.left("no-such-mark")
            await anyio.sleep(0.05)
        assert [ended.code for ended in outcome] == [0]


async def test_a_watch_that_was_killed_is_replaced():
    with household() as ours:
        await run(":")
        assert ours.watch is not None
        first = ours.watch.pid
        handle = os.pidfd_open(first)
        os.kill(first, signal.SIGKILL)
        wait_for_end_of(handle)
        os.close(handle)
        await run(":")
        assert ours.watch.pid != first
        assert ours.watch.alive


async def test_the_watch_ends_without_a_word_when_all_is_well():
    with household() as ours:
        await run(":")
        assert ours.watch is not None
        handle = os.pidfd_open(ours.watch.pid)
    wait_for_end_of(handle)
    os.close(handle)


async def test_a_household_without_children_starts_nobody():
    with household() as ours:
        assert ours.watch is None


async def test_a_child_holds_none_of_our_descriptors():
    _, lines = await run("ls -l /proc/self/fd")
    kinds = [line.split(b"-> ")[1] for line in lines if b"-> " in line]
    assert [kind for kind in kinds if not kind.startswith((b"pipe:", b"socket:", b"/proc/"))] == []
    assert len(kinds) == 4  # its three streams, and the folder that is listed


async def test_the_watch_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET", "s")
    with household() as ours:
        await run(":")
        assert ours.watch is not None
        environment = Path(f"/proc/{ours.watch.pid}/environ").read_bytes()
    assert b"SECRET" not in environment
    assert MARKER.encode() not in environment


async def test_a_mark_inside_another_mco_names_both(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(MARKER, "1-outer-7")
    with household() as ours:
        _, lines = await run(f"echo ${MARKER}")
        assert lines == [f"1-outer-7:{ours.mark}-1".encode()]


async def test_one_household_is_around_all_that_runs_in_it():
    with household() as outer, household() as inner:
        assert inner is outer
    with household() as other:
        assert other is not outer


async def test_all_steps_of_a_run_share_one_watch(tmp_path: Path):
    watches: list[int] = []

    async def reply(question: Question) -> str:
        await run(":")
        with household() as ours:
            assert ours.watch is not None
            watches.append(ours.watch.pid)
        return "done"

    script = 'async def main(args):\n    return await parallel([agent(f"{n}") for n in range(5)])\n'
    outcome = await Rig(tmp_path).run(script, reply=reply)
    assert (outcome.status, len(watches), len(set(watches))) == ("done", 5, 1)


def test_marks_of_two_households_differ():
    assert Household().mark != Household().mark
