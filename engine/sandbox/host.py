"""Our side of a worker: spawn it, load a script into it, run it, answer its calls, end it.

The hot path is one callback of the event loop a batch: no task is woken and no descriptor is registered anew for a
frame, which is what anyio's and asyncio's streams would do.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Callable
from typing import Any, Literal, cast

from engine.errors import ScriptRefused
from engine.sandbox.death import broke_the_rules, ended, failed, thought_too_long
from engine.sandbox.frames import WAITING_BYTES, FrameTooLarge, Splitter, encode
from engine.sandbox.inbound import (
    BadFrame,
    Call,
    Frame,
    Idle,
    Loaded,
    Note,
    Raised,
    Ready,
    Refused,
    Result,
    read_frame,
)
from engine.sandbox.limits import WorkerLimits
from engine.sandbox.linger import Linger
from engine.sandbox.source import decode_source
from engine.sandbox.spawn import kill_worker, spawn_worker
from engine.sandbox.spending import BudgetTotals, Spending, Spent, as_json
from engine.sandbox.stopwatch import Stopwatch
from engine.sandbox.wire import Gone, Wire

__all__ = ["BudgetTotals", "Call", "FailureKind", "Note", "Spent", "Worker", "WorkerLimits"]

FailureKind = Literal["AgentError", "BudgetExceeded", "LimitExceeded", "TypeError", "ValueError"]
_DYING_SECONDS = 2.0
_BUFFERED_BYTES = 64 * 1024
"""What any system's socket buffer takes."""
_UNREAD_BYTES = 8 * 1024 * 1024


class Worker:
    """One worker process, for one run of one script. Whatever happens, `kill` leaves nothing behind."""

    def __init__(
        self, process: subprocess.Popen[bytes], connection: socket.socket, limits: WorkerLimits
    ) -> None:
        self._process = process
        self._socket = connection
        self._limits = limits
        self._where = ""
        self._layers: tuple[str, ...] = ()
        self._transport: asyncio.Transport | None = None
        self._outcome: asyncio.Future[Frame] | None = None
        self._splitter = Splitter(limits.frame_bytes)
        self._handle: Callable[[Call | Note], None] | None = None
        self._waiting: dict[int, int] = {}
        self._waiting_bytes = 0
        self._last_id = 0
        self._replies = 0
        self._outgoing: list[bytes] = []
        self._taking = False
        self._ahead: bytes | None = None
        self._lost: Exception | None = None
        self._stopwatch: Stopwatch | None = None
        self._linger: Linger | None = None

    @classmethod
    def spawn(cls, limits: WorkerLimits | None = None) -> Worker:
        """Start a worker; it gets ready while the caller goes on. No event loop is needed yet.

        On Linux it dies with the *thread* that spawned it: spawn from one that lives as long as the run.
        """
        limits = limits or WorkerLimits()
        process, connection = spawn_worker(limits)
        return cls(process, connection, limits)

    def send_ahead(self, name: str, source: bytes) -> None:
        """Give the worker its script before an event loop runs, so that it compiles while we go on; `load` awaits it.

        ScriptRefused when it is not text. One that does not fit into the socket's buffer waits for `load`.
        """
        frame = encode({"kind": "load", "source": decode_source(name, source)})
        if len(frame) <= _BUFFERED_BYTES:
            self._socket.sendall(frame)
            self._ahead = source

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the operating system's wall that are active; known once a script is loaded."""
        return self._layers

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    async def load(self, name: str, source: bytes) -> dict[str, Any]:
        """Have a script read and compiled, and get its meta. ScriptRefused with all problems, or WorkerKilled."""
        self._where = name
        try:
            text = decode_source(name, source)
            await self._connect()
            load = None if self._ahead == source else {"kind": "load", "source": text}
            frame = await self._exchange(load)
        except BaseException:
            self.kill()
            raise
        if isinstance(frame, Refused):
            self.kill()
            raise ScriptRefused(name, frame.problems)
        return cast("Loaded", frame).meta

    async def run(self, args: Any, budget: BudgetTotals, handle: Callable[[Call | Note], None]) -> Any:
        """Run the loaded script and return its result; the worker is gone afterwards, whatever happened.

        `handle` gets calls and notes in the script's order; it must not block, and may reply at once. What it
        raises ends the run. ScriptFailed when the script raised, WorkerKilled when its process ended.
        """
        self._handle = handle
        totals = {"tokens": budget.tokens, "cost": budget.cost}
        try:
            frame = await self._exchange({"kind": "start", "args": args, "budget": totals})
        finally:
            self.kill()
        if isinstance(frame, Raised):
            raise failed(self._where, frame, self._limits)
        return cast("Result", frame).value

    def reply(self, call: Call, value: Any, spent: Spending) -> None:
        """Answer a call. Nothing happens when the worker is gone. ValueError when `value` is not JSON."""
        self._answer(call, {"kind": "reply", "id": call.id, "value": value, "spent": as_json(spent)})

    def fail(
        self,
        call: Call,
        kind: FailureKind,
        message: str,
        *,
        reason: str | None = None,
        provider: str | None = None,
        spent: Spending,
    ) -> None:
        """Answer a call with an exception in the script. Nothing happens when the worker is gone."""
        error = {"type": kind, "message": message, "reason": reason, "provider": provider}
        self._answer(call, {"kind": "fail", "id": call.id, "error": error, "spent": as_json(spent)})

    def kill(self) -> None:
        """End the process and everything in its session, and collect it. Harmless when called again."""
        if self._stopwatch is not None:
            self._stopwatch.stop()
        if self._transport is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is left to tell
                self._transport.abort()
            self._transport = None
        self._socket.close()
        kill_worker(self._process)

    # What the wire calls

    def received(self, data: bytes) -> None:
        """Bytes came: frames, and a part of the next. The replies to them leave together."""
        self._taking = True
        if self._linger is not None:
            self._linger.heard()
        try:
            for body in self._splitter.feed(data):
                self._take(read_frame(body), len(body))
        except (BadFrame, FrameTooLarge) as error:
            self.lost(broke_the_rules(self._where, str(error)))
        except Exception as error:  # noqa: BLE001 - what `handle` raises ends the run, in `run`
            self.lost(error)
        finally:
            self._taking = False
        self.flush()

    def lost(self, error: Exception) -> None:
        """Nothing more comes, or nothing more is wanted."""
        self._lost = self._lost or error
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(error)

    def flush(self) -> None:
        """Send the replies that wait."""
        if self._outgoing and self._transport is not None:
            data = b"".join(self._outgoing)
            self._outgoing.clear()
            self._transport.write(data)
            if self._linger is not None and not self._waiting:
                self._linger.sent()

    # Inside

    def _take(self, frame: Frame, size: int) -> None:
        if isinstance(frame, Call):
            self._take_call(frame, size)
        elif isinstance(frame, Note):
            self._hand_over(frame)
        elif isinstance(frame, Idle):
            self._take_idle(frame)
        elif isinstance(frame, Ready):
            self._layers = frame.layers
        else:
            self._take_end(frame)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._socket.setblocking(False)
        transport, _ = await loop.create_connection(lambda: Wire(self.received, self.lost), sock=self._socket)
        transport.set_write_buffer_limits(high=_UNREAD_BYTES)
        self._transport = transport
        self._linger = Linger(loop)
        self._stopwatch = Stopwatch(loop, self._limits.think_seconds, self._thought_too_long)

    async def _exchange(self, frame: dict[str, Any] | None) -> Frame:
        """Send a frame, unless it was sent before, and wait until the worker has done what it asks for."""
        if self._transport is None or self._stopwatch is None:
            raise ended(self._where, self._process.poll(), self._limits)
        self._outcome = asyncio.get_running_loop().create_future()
        if self._lost is not None:
            self._outcome.set_exception(self._lost)
        self._stopwatch.start()
        if frame is not None:
            self._transport.write(encode(frame))
        try:
            return await self._outcome
        except Gone:
            code = await asyncio.to_thread(self._exit_code)
            raise ended(self._where, code, self._limits) from None
        finally:
            self._stopwatch.stop()

    def _exit_code(self) -> int | None:
        try:
            return self._process.wait(_DYING_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def _take_call(self, call: Call, size: int) -> None:
        if call.id <= self._last_id:
            raise BadFrame("a call with a number that was used before")
        if len(self._waiting) >= self._limits.calls_waiting:
            raise BadFrame("more calls at once than agreed")
        if self._waiting_bytes >= WAITING_BYTES:
            raise BadFrame("larger calls at once than agreed")
        self._last_id = call.id
        self._waiting[call.id] = size
        self._waiting_bytes += size
        self._hand_over(call)

    def _hand_over(self, frame: Call | Note) -> None:
        if self._handle is None:
            raise BadFrame("a call or a note before the run began")
        self._handle(frame)

    def _take_idle(self, idle: Idle) -> None:
        if idle.seen > self._replies:
            raise BadFrame("more replies seen than were sent")
        if self._stopwatch is not None:
            self._stopwatch.pause(idle.seen == self._replies)

    def _take_end(self, frame: Loaded | Refused | Result | Raised) -> None:
        if (self._handle is None) != isinstance(frame, Loaded | Refused):
            raise BadFrame("a frame out of turn")
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(frame)

    def _answer(self, call: Call, frame: dict[str, Any]) -> None:
        if self._transport is None or self._stopwatch is None:
            return
        data = encode(frame)
        self._waiting_bytes -= self._waiting.pop(call.id)
        self._replies += 1
        self._stopwatch.resume()
        self._outgoing.append(data)
        if not self._waiting:
            self.flush()  # the script waits for nothing else
        elif len(self._outgoing) == 1 and not self._taking:
            asyncio.get_running_loop().call_soon(self.flush)

    def _thought_too_long(self) -> None:
        self.lost(thought_too_long(self._where, self._limits))
