"""Untrusted scripts: behind a whole wall or not at all; and a worker that lies about its wall, or outgrows it."""

from __future__ import annotations

import asyncio
import json
import platform
from typing import Any

import pytest

from engine.errors import WallMissing, WorkerKilled
from engine.sandbox import spawn
from engine.sandbox.frames import encode
from engine.sandbox.host import BudgetTotals, Worker
from engine.sandbox.inbound import BadFrame, Ready, read_frame
from engine.sandbox.layer import gaps
from engine.sandbox.memory_watch import LOOK_SECONDS, MemoryWatch, watch_memory
from tests.sandbox.cell import needs_linux
from tests.sandbox.play import TIGHT, body, play
from tests.sandbox.test_walls import DEADLY
from tests.sandbox.test_worker import Impostor
from tests.sandbox.walls_off import SYSTEM_ALONE

pytestmark = pytest.mark.anyio

NO_SECCOMP = """\
import sys
sys.path[:0] = [sys.argv.pop(1), sys.argv.pop(1)]
from engine.sandbox.walls import kernel
honest = kernel.system_call
def system_call(number, *arguments):
    if number in (317, 277):
        raise OSError(38, "Function not implemented")
    return honest(number, *arguments)
kernel.system_call = system_call
from engine.sandbox.worker import main
main(sys.argv[1:])
"""


async def run(source: str, *, untrusted: bool) -> object:
    worker = Worker.spawn(TIGHT)
    try:
        await worker.load("mine", source.encode(), untrusted=untrusted)
        return not gaps(worker.layers), await worker.run({}, BudgetTotals(), lambda frame: None)
    finally:
        worker.kill()


@needs_linux
async def test_an_untrusted_script_runs_behind_a_whole_wall() -> None:
    assert await run(body("return 7"), untrusted=True) == (True, 7)


@needs_linux
async def test_without_a_whole_wall_only_a_trusted_script_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "_BOOT", NO_SECCOMP)
    assert await run(body("return 7"), untrusted=False) == (False, 7)
    with pytest.raises(WallMissing, match="seccomp is missing: the kernel has no seccomp") as caught:
        await run(body("return 7"), untrusted=True)
    assert caught.value.exit_code == 2
    assert caught.value.where == "mine"
    assert "mco doctor" in str(caught.value.hint)


@needs_linux
async def test_an_untrusted_script_does_not_reach_a_worker_without_a_whole_wall() -> None:
    impostor = Impostor()
    layers = [{"name": "seccomp", "stands": False, "said": "no"}]
    impostor.theirs.sendall(encode({"kind": "ready", "layers": layers}))
    with pytest.raises(WallMissing):
        await impostor.worker.load("x", b"secret script", untrusted=True)
    impostor.theirs.setblocking(False)
    assert impostor.theirs.recv(100) == b""
    impostor.theirs.close()


async def test_a_worker_that_loads_what_it_was_not_given_has_no_wall() -> None:
    impostor = Impostor()
    loaded = {"kind": "loaded", "meta": {"name": "x", "description": "d"}}
    impostor.theirs.sendall(encode(loaded) + encode({"kind": "ready", "layers": []}))
    with pytest.raises(WallMissing, match=r"did not speak of it|nothing but the interpreter"):
        await impostor.worker.load("x", b"", untrusted=True)
    impostor.theirs.close()


async def test_a_worker_tells_its_layers_once() -> None:
    impostor = Impostor()
    layers = [{"name": "seccomp", "stands": True, "said": "tried"}]
    again = encode({"kind": "ready", "layers": layers})
    impostor.theirs.sendall(again)
    with pytest.raises(WorkerKilled, match="told twice"):
        await impostor.run(again)


@pytest.mark.parametrize(
    "layers",
    [
        None,
        {},
        ["seccomp"],
        [{"name": "x"}],
        [{"name": 1, "stands": True, "said": ""}],
        [{"name": "x", "said": ""}],
    ],
)
def test_layers_that_no_honest_worker_tells_are_refused(layers: Any) -> None:
    with pytest.raises(BadFrame):
        read_frame(json.dumps({"kind": "ready", "layers": layers}).encode())


def test_layers_are_cleaned_and_bounded() -> None:
    told = [{"name": "a\x1b[2J" + "b" * 900, "stands": "yes", "said": "c\nd" + "e" * 900}] * 300
    frame = read_frame(json.dumps({"kind": "ready", "layers": told}).encode())
    assert isinstance(frame, Ready)
    assert len(frame.layers) == 100
    assert not frame.layers[0].stands
    assert len(frame.layers[0].name) <= 200
    assert frame.layers[0].said.startswith("c de")
    assert len(frame.layers[0].said) <= 500


@needs_linux
async def test_a_worker_that_asks_for_what_is_forbidden_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Plain Python, since nothing that the policy lets through comes this far."""
    monkeypatch.setattr(spawn, "_BOOT", SYSTEM_ALONE)
    number = DEADLY["ptrace"][platform.machine() == "aarch64"]
    with pytest.raises(WorkerKilled) as caught:
        await play(body(f"import ctypes\nctypes.CDLL(None).syscall({number}, 0, 0, 0, 0)"), name="mine")
    error = caught.value
    assert (
        str(error) == "mine: the script's process asked the system for what no script needs, and was stopped"
    )
    assert "do not run it again unread" in str(error.hint)


async def test_a_worker_that_grows_is_noticed_once_and_no_longer_watched() -> None:
    sizes, noticed = iter([10, 90, 101]), asyncio.Event()
    loop = asyncio.get_running_loop()
    calls: list[float] = []

    class Clock:
        """A loop whose timers run at once."""

        def call_later(self, delay: float, look: Any) -> asyncio.Handle:
            calls.append(delay)
            return loop.call_soon(look)

    watch = MemoryWatch(Clock(), lambda: next(sizes), 100, noticed.set)  # pyright: ignore[reportArgumentType]
    watch.look()
    await noticed.wait()
    assert calls == [LOOK_SECONDS, LOOK_SECONDS]
    assert list(sizes) == []


@needs_linux
async def test_where_the_system_holds_the_limit_nobody_watches() -> None:
    assert watch_memory(asyncio.get_running_loop(), 1, TIGHT, lambda why: None) is None
