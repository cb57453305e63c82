"""The sandbox by itself: starting a script, and one call's way out of it and back."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import anyio

from benchmarks.figure import Figure, best
from engine.sandbox.host import BudgetTotals, Call, Note, Spent, Worker, WorkerLimits
from engine.sandbox.spare import Workers

TRIVIAL = b"""meta = {"name": "trivial", "description": "one call"}

async def main(args):
    return await agent("hello")
"""
IN_SEQUENCE = b"""meta = {"name": "calls", "description": "in sequence"}

async def main(args):
    for number in range(args["calls"]):
        await agent("hello")
"""
AT_ONCE = b"""meta = {"name": "calls", "description": "64 at a time"}

async def main(args):
    for number in range(args["calls"] // 64):
        await parallel([agent("hello") for _ in range(64)])
"""
# The floor: the frames that a call and its reply are, echoed by a process that does nothing else.
ECHO = """
import json, socket, struct, sys
connection = socket.socket(fileno=int(sys.argv[1]))
file = connection.makefile("rwb")
while head := file.read(4):
    frame = json.loads(file.read(struct.unpack(">I", head)[0]))
    body = json.dumps({"kind": "reply", "id": frame["id"], "value": frame["arguments"]["prompt"]}).encode()
    file.write(struct.pack(">I", len(body)) + body)
    file.flush()
"""
LIMITS = WorkerLimits(cpu_seconds=600)
NOTHING_SPENT = {0: Spent()}


FRAME: dict[str, object] = {
    "kind": "call",
    "id": 1,
    "name": "agent",
    "arguments": {"prompt": "hello", "options": {}},
    "scope": 0,
}
LENGTH = struct.Struct(">I")


def _framed() -> bytes:
    body = json.dumps(FRAME).encode()
    return LENGTH.pack(len(body)) + body


@contextmanager
def _echo() -> Generator[socket.socket]:
    """Our end of a socket pair whose other end a process of its own echoes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-I", "-S", "-c", ECHO, str(theirs.fileno())]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()]):
            theirs.close()
            yield ours
            ours.close()


def round_trip(calls: int) -> float:
    """Seconds for one frame to a bare process and back, both ends blocking."""
    with _echo() as connection, connection.makefile("rwb") as file:

        def once() -> None:
            file.write(_framed())
            file.flush()
            json.loads(file.read(LENGTH.unpack(file.read(4))[0]))

        once()
        started = time.perf_counter()
        for _ in range(calls):
            once()
        seconds = (time.perf_counter() - started) / calls
        connection.shutdown(socket.SHUT_RDWR)
    return seconds


def echo_at_once(calls: int, at_once: int) -> float:
    """Seconds a frame when `at_once` of them are sent together and their replies awaited, as asyncio does it."""

    async def go(connection: socket.socket) -> float:
        reader, writer = await asyncio.open_connection(sock=connection)

        async def batch() -> None:
            for _ in range(at_once):
                writer.write(_framed())
            for _ in range(at_once):
                json.loads(await reader.readexactly(LENGTH.unpack(await reader.readexactly(4))[0]))

        await batch()
        started = time.perf_counter()
        for _ in range(calls // at_once):
            await batch()
        seconds = (time.perf_counter() - started) / calls
        writer.close()
        await writer.wait_closed()
        return seconds

    with _echo() as connection:
        return asyncio.run(go(connection))


async def _run(worker: Worker, source: bytes, args: object) -> None:
    def handle(frame: Call | Note) -> None:
        if isinstance(frame, Call):
            worker.reply(frame, "hello", NOTHING_SPENT)

    await worker.load("bench", source)
    await worker.run(args, BudgetTotals(), handle)


def calls(source: bytes, number: int) -> float:
    """Seconds a call of a script, its worker already there."""

    async def go() -> float:
        worker = Worker.spawn(LIMITS)
        await anyio.sleep(0.3)
        started = time.perf_counter()
        await _run(worker, source, {"calls": number})
        return (time.perf_counter() - started) / number

    return anyio.run(go)


def warm_run() -> float:
    """Seconds of a whole trivial run whose worker waits already."""

    async def go() -> float:
        workers = Workers(LIMITS)
        workers.warm()
        await anyio.sleep(0.3)
        started = time.perf_counter()
        worker = workers.take()
        await _run(worker, TRIVIAL, {})
        seconds = time.perf_counter() - started
        workers.close()
        return seconds

    return anyio.run(go)


def cold_run() -> float:
    """Seconds of a whole trivial run with its worker's start."""

    async def go() -> float:
        started = time.perf_counter()
        await _run(Worker.spawn(LIMITS), TRIVIAL, {})
        return time.perf_counter() - started

    return anyio.run(go)


def same_imports() -> float:
    """Seconds of the interpreter with the imports of a worker, doing nothing."""
    code = f"import sys; sys.path[:0] = {packages()!r}; import engine.sandbox.worker"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-S", "-E", "-X", "utf8", "-c", code], check=True, env={})
    return time.perf_counter() - started


def packages() -> list[str]:
    """The folders that a worker imports from."""
    specs = [find_spec(name) for name in ("engine", "RestrictedPython")]
    return [str(Path(spec.origin).parent.parent) for spec in specs if spec is not None and spec.origin]


def sandbox(folder: Path) -> list[Figure]:
    """All of them."""
    warm, trip = best(warm_run, lambda: round_trip(2_000), 15)
    cold, imports = best(cold_run, same_imports, 15)
    sequence, echo = best(lambda: calls(IN_SEQUENCE, 10_000), lambda: round_trip(10_000), 5)
    together, echoes = best(lambda: calls(AT_ONCE, 9_984), lambda: echo_at_once(9_984, 64), 11)
    return [
        Figure(
            what="a trivial script, its worker warm", floor_name="5 round trips of a frame + 3 ms",
            ours=warm * 1000, floor=5 * trip * 1000 + 3, unit="ms", most=1,
        ),
        Figure(
            what="a trivial script, its worker cold", floor_name="the same interpreter and imports",
            ours=cold * 1000, floor=imports * 1000, unit="ms", most=1.5,
        ),
        Figure(
            what="agent(), 10,000 in sequence", floor_name="bare JSON echo",
            ours=sequence * 1e6, floor=echo * 1e6, unit="µs", most=1.5,
        ),
        Figure(
            what="agent(), 64 at a time", floor_name="bare JSON echo, asyncio",
            ours=together * 1e6, floor=echoes * 1e6, unit="µs", most=1.5,
        ),
    ]  # fmt: skip
