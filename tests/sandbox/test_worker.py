"""The worker process: its walls, its limits, its death in every way, and a host that trusts none of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ScriptFailed, ScriptRefused, WorkerKilled
from engine.sandbox.frames import WAITING_BYTES, encode
from engine.sandbox.host import BudgetTotals, Call, Note, Spent, Worker, WorkerLimits
from engine.sandbox.inbound import BadFrame, Loaded, read_frame
from engine.sandbox.spawn import spawn_worker
from tests.sandbox.play import TIGHT, Flooded, body, echo, play

pytestmark = pytest.mark.anyio
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the layers of Linux")

ENDLESS = "while True:\n    pass"


def process_of(worker: Worker) -> int:
    return worker._process.pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@needs_linux
async def test_the_worker_stands_behind_its_walls() -> None:
    worker = Worker.spawn(TIGHT)
    try:
        await worker.load("test", body("return 1").encode())
        status = Path(f"/proc/{process_of(worker)}/status").read_text()
        limits = Path(f"/proc/{process_of(worker)}/limits").read_text()
    finally:
        worker.kill()
    standing = {layer.name for layer in worker.layers if layer.stands}
    assert {"session", "environment", "folder", "parent-death-signal", "no-new-privileges"} <= standing
    assert {"limit-cpu", "limit-memory", "limit-files", "limit-core", "limit-descriptors"} <= standing
    assert "NoNewPrivs:\t1" in status
    assert "Max file size             0                    0" in limits
    assert "Max open files            0                    0" in limits


def test_a_worker_can_be_spawned_and_killed_before_there_is_a_loop() -> None:
    worker = Worker.spawn(TIGHT)
    assert is_alive(process_of(worker))
    worker.kill()
    assert not is_alive(process_of(worker))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (ENDLESS, "more than 1 s of CPU time"),
        ("sum(range(10**14))", "more than 1 s of CPU time"),
        ("while True:\n    await parallel([])", "more than 1 s of CPU time"),
        ("t = ()\nfor i in range(500_000):\n    t = (t,)\nreturn len({t: 1})", "crashed the interpreter"),
    ],
)
async def test_a_worker_that_dies_is_told_in_a_sentence(lines: str, words: str) -> None:
    with pytest.raises(WorkerKilled, match=words):
        await play(body(lines))


@pytest.mark.parametrize(
    "lines",
    ["x = []\nwhile True:\n    x.append('y' * 1_000_000 + str(len(x)))", "return list(range(10**10))"],
)
async def test_too_much_memory_is_a_clear_error_with_its_line(lines: str) -> None:
    with pytest.raises(ScriptFailed, match="more than 256 MiB of memory") as caught:
        await play(body(lines), name="mine")
    assert caught.value.where in ("mine:4", "mine:6")


async def test_a_script_that_keeps_the_ball_is_stopped_by_the_wall_clock() -> None:
    with pytest.raises(WorkerKilled, match=r"ran for 0\.3 s without waiting"):
        await play(body(ENDLESS), limits=WorkerLimits(cpu_seconds=30, think_seconds=0.3))


async def test_a_worker_killed_from_outside_is_told() -> None:
    def kill(worker: Worker, call: Call) -> None:
        os.kill(process_of(worker), signal.SIGKILL)

    with pytest.raises(WorkerKilled, match="killed from outside"):
        await play(body('return await agent("x")'), answer=kill)


async def test_a_worker_that_died_between_load_and_run_is_told() -> None:
    worker = Worker.spawn(TIGHT)
    await worker.load("test", body("return 1").encode())
    os.kill(process_of(worker), signal.SIGKILL)
    with pytest.raises(WorkerKilled):
        await worker.run({}, BudgetTotals(), lambda frame: None)
    worker.kill()


async def test_a_killed_worker_is_gone_and_takes_replies_in_silence() -> None:
    worker = Worker.spawn(TIGHT)
    worker.kill()
    worker.kill()
    worker.reply(Call(1, "agent", {}, 0), "x", {0: Spent()})
    assert not is_alive(process_of(worker))


async def test_a_cancelled_run_leaves_no_process() -> None:
    worker = Worker.spawn(TIGHT)
    await worker.load("test", body('return await agent("x")').encode())
    asked = asyncio.Event()
    run = asyncio.create_task(worker.run({}, BudgetTotals(), lambda frame: asked.set()))
    await asked.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert worker._process.wait(20) in (0, -signal.SIGKILL)  # it may see the closed socket first


async def test_a_worker_ends_when_the_hosts_end_closes() -> None:
    child = spawn_worker(TIGHT)
    child.hang_up()
    assert await asyncio.to_thread(child.process.wait, 10) == 0


async def test_what_handle_raises_ends_the_run() -> None:
    with pytest.raises(Flooded):
        await play(body('for i in range(10**9):\n    phase("p")'))


async def test_more_calls_than_may_wait_are_queued_in_the_worker() -> None:
    limits = WorkerLimits(calls_waiting=4)
    held: list[Call] = []
    most: list[int] = []

    def two_at_a_time(worker: Worker, call: Call) -> None:
        held.append(call)
        most.append(len(held))
        asyncio.get_running_loop().call_soon(lambda: held and echo(worker, held.pop()))

    played = await play(
        body('return len(await parallel([agent("x") for i in range(50)]))'),
        answer=two_at_a_time,
        limits=limits,
    )
    assert played.result == 50
    assert max(most) <= 4


async def test_large_answers_both_ways_do_not_lock_the_two_ends() -> None:
    def big(worker: Worker, call: Call) -> None:
        worker.reply(call, "y" * 300_000, {})

    script = 'r = await parallel([agent("x" * 300_000) for i in range(100)])\nreturn sum(len(x) for x in r)'
    assert (await play(body(script), answer=big)).result == 30_000_000


async def test_a_main_that_yields_is_told() -> None:
    with pytest.raises(ScriptFailed) as caught:
        await play(body("yield 1"))
    assert caught.value.why == "TypeError: main must be an async function, without yield"


async def test_state_does_not_leak_from_run_to_run() -> None:
    script = body(
        'import json\nleaked = getattr(json, "mark", None)\nargs["x"] = 1\nmeta.clear()\nreturn [leaked, args]'
    )
    for _ in range(2):
        assert (await play(script)).result == [None, {"x": 1}]


async def test_a_refused_script_tells_all_its_problems() -> None:
    with pytest.raises(ScriptRefused) as caught:
        await play("import os\nclass A: pass\n", name="mine")
    assert [problem.line for problem in caught.value.problems] == [0, 0, 1, 2]
    assert caught.value.where == "mine"


async def test_escape_codes_in_an_error_are_gone() -> None:
    with pytest.raises(ScriptFailed) as caught:
        await play(body(r'raise ValueError("\x1b[2J\x1b]0;owned\x07ok")'))
    assert caught.value.why == "ValueError: ok"


class Impostor:
    """A worker that sends what it is told, in place of an honest one."""

    def __init__(self, limits: WorkerLimits = TIGHT) -> None:
        ours, self.theirs = socket.socketpair()
        child = spawn_worker(TIGHT)
        child.connection.close()
        self.worker = Worker(child._replace(connection=ours), limits)

    async def run(self, *frames: bytes) -> Any:
        loaded = {"kind": "loaded", "meta": {"name": "x", "description": "d"}}
        self.theirs.sendall(encode({"kind": "ready", "layers": []}) + encode(loaded))
        try:
            await self.worker.load("x", b"")
            self.theirs.sendall(b"".join(frames))
            return await self.worker.run({}, BudgetTotals(), lambda frame: None)
        finally:
            self.worker.kill()
            self.theirs.close()


def call(number: int) -> bytes:
    arguments = {"prompt": "p", "options": {}}
    return encode({"kind": "call", "id": number, "name": "agent", "arguments": arguments, "scope": 0})


def raw(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


@pytest.mark.parametrize(
    "frames",
    [
        [raw(b"not json")],
        [raw(b"[]")],
        [raw(b'{"kind": "surprise"}')],
        [raw(b'{"kind": "result", "value": NaN}')],
        [raw(b'{"kind": "result", "value": 1e999}')],
        [raw(b'{"kind": "result", "value": 9999999999999999999999}')],
        [raw(b'{"kind": "result", "value": "\\ud800"}')],
        [raw(b'{"kind": "result", "value": ' + b"[" * 5000 + b"]" * 5000 + b"}")],
        [raw(b'{"kind": "result"}')],
        [b"\xff\xff\xff\xff"],
        [call(1), call(1)],
        [call(2), call(1)],
        [encode({"kind": "call", "id": 1, "name": "open", "arguments": {}, "scope": 0})],
        [
            encode(
                {
                    "kind": "call",
                    "id": -1,
                    "name": "agent",
                    "arguments": {"prompt": "", "options": {}},
                    "scope": 0,
                }
            )
        ],
        [
            encode(
                {
                    "kind": "call",
                    "id": 1,
                    "name": "agent",
                    "arguments": {"prompt": 1, "options": {}},
                    "scope": 0,
                }
            )
        ],
        [encode({"kind": "loaded", "meta": {}})],
        [encode({"kind": "idle", "seen": 5})],
        [encode({"kind": "note", "name": "surprise", "arguments": {}})],
    ],
)
async def test_a_worker_that_breaks_the_protocol_is_stopped(frames: list[bytes]) -> None:
    with pytest.raises(WorkerKilled, match="broke the protocol"):
        await Impostor().run(*frames)


@pytest.mark.parametrize(
    "meta",
    [
        {"description": "d"},
        {"name": 7, "description": "d"},
        {"name": "x", "description": "d", "phases": 3},
        {"name": "x", "description": "d", "phases": [{"detail": "no title"}]},
    ],
)
def test_a_meta_that_no_honest_worker_sends_is_refused(meta: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        read_frame(json.dumps({"kind": "loaded", "meta": meta}).encode())


async def test_a_worker_that_asks_too_much_at_once_is_stopped() -> None:
    with pytest.raises(WorkerKilled, match="more calls at once than agreed"):
        await Impostor(WorkerLimits(calls_waiting=4)).run(*[call(number) for number in range(1, 6)])


async def test_a_worker_that_asks_too_largely_at_once_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.waiting.WAITING_BYTES", 3 * len(call(1)) - 1)
    with pytest.raises(WorkerKilled, match="larger calls at once than agreed"):
        await Impostor().run(*[call(number) for number in range(1, 6)])


async def test_a_script_with_large_prompts_waits_in_its_worker_and_gets_all_answers() -> None:
    waiting: list[int] = []
    most = 0

    def answer_late(worker: Worker, call: Call) -> None:
        nonlocal most
        waiting.append(len(call.arguments["prompt"]))
        most = max(most, sum(waiting))
        asyncio.get_running_loop().call_soon(answer, worker, call)

    def answer(worker: Worker, call: Call) -> None:
        waiting.pop(0)
        worker.reply(call, "ok", {0: Spent()})

    source = body('return await parallel([lambda: agent("x" * 3_000_000) for _ in range(40)])')
    played = await play(source, answer=answer_late, limits=TIGHT._replace(cpu_seconds=20))
    assert played.result == ["ok"] * 40
    assert most <= WAITING_BYTES + 3_000_000


def test_what_a_worker_says_of_its_phases_is_cleaned_and_bounded() -> None:
    phases = [{"title": "a\x1b[31m" + "b" * 500}] * 300
    meta = {"name": "x", "description": "d", "phases": phases}
    loaded = read_frame(json.dumps({"kind": "loaded", "meta": meta}).encode())
    assert isinstance(loaded, Loaded)
    titles = [phase["title"] for phase in loaded.meta["phases"]]
    assert len(titles) == 100
    assert len(titles[0]) <= 120
    assert "\x1b" not in titles[0]


async def test_a_worker_may_not_call_before_the_run_began() -> None:
    impostor = Impostor()
    impostor.theirs.sendall(call(1))
    with pytest.raises(WorkerKilled, match="before the run began"):
        await impostor.run()


def test_a_frame_with_deep_json_is_refused() -> None:
    with pytest.raises(BadFrame):
        read_frame(b'{"kind": "note", "name": "log", "arguments": ' + b"[" * 300 + b"]" * 300 + b"}")


def test_a_budget_note_has_whole_numbers() -> None:
    note = read_frame(
        b'{"kind":"note","name":"budget","arguments":{"open":1,"parent":0,"tokens":5,"cost":1}}'
    )
    assert note == Note("budget", {"open": 1, "parent": 0, "tokens": 5, "cost": 1.0})
    with pytest.raises(BadFrame):
        read_frame(
            b'{"kind":"note","name":"budget","arguments":{"open":true,"parent":0,"tokens":5,"cost":1}}'
        )


async def test_a_script_sent_ahead_is_loaded_once():
    source = b'meta = {"name": "early", "description": "d"}\nasync def main(args):\n    return 7\n'
    worker = Worker.spawn()
    worker.send_ahead("early.py", source)
    meta = await worker.load("early.py", source)
    assert meta["name"] == "early"
    assert await worker.run({}, BudgetTotals(), lambda frame: None) == 7
    worker.kill()
