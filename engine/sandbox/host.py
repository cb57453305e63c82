"""Our side of a worker: spawn it, load a script into it, run it, answer its calls, end it.

The hot path is one callback of the event loop a batch: no task is woken and no descriptor is registered anew for a
frame, which is what anyio's and asyncio's streams would do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Literal, cast

from engine.errors import Problem, ScriptRefused
from engine.sandbox import death
from engine.sandbox.awaited import Awaited
from engine.sandbox.frames import FrameTooLarge, Splitter, encode
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
from engine.sandbox.layer import Layer, gaps
from engine.sandbox.limits import WorkerLimits
from engine.sandbox.linger import Linger
from engine.sandbox.memory_watch import MemoryWatch, watch_memory
from engine.sandbox.outbound import encode_quickly
from engine.sandbox.shared_memory import LONG
from engine.sandbox.source import decode_source
from engine.sandbox.spawn import Child, end_worker, exit_code, spawn_worker
from engine.sandbox.spending import BudgetTotals, Spending, Spent, as_json
from engine.sandbox.stopwatch import Stopwatch
from engine.sandbox.waiting import WaitingCalls
from engine.sandbox.wire import Gone, connected

__all__ = ["BudgetTotals", "Call", "FailureKind", "Note", "Spent", "Worker", "WorkerLimits"]

FailureKind = Literal["AgentError", "BudgetExceeded", "LimitExceeded", "TypeError", "ValueError"]
_BUFFERED_BYTES = 64 * 1024
"""What any system's socket buffer takes."""


class Worker:
    """One worker process, for one run of one script. Whatever happens, `kill` leaves nothing behind."""

    def __init__(self, child: Child, limits: WorkerLimits) -> None:
        self._child = child
        self._process = child.process
        self._socket = child.connection
        self._outbox = child.outbox
        self._limits = limits
        self._where = ""
        self._layers: tuple[Layer, ...] = ()
        self._transport: asyncio.Transport | None = None
        self._awaited = Awaited()
        self._splitter = Splitter(limits.frame_bytes)
        self._handle: Callable[[Call | Note], None] | None = None
        self._waiting = WaitingCalls(limits.calls_waiting)
        self._replies = 0
        self._outgoing: list[bytes] = []
        self._taking = False
        self._ahead: bytes | None = None
        self.warnings: tuple[Problem, ...] = ()
        self._stopwatch: Stopwatch | None = None
        self._linger: Linger | None = None
        self._watch: MemoryWatch | None = None

    @classmethod
    def spawn(cls, limits: WorkerLimits | None = None, *, advise: bool = False) -> Worker:
        """Start a worker; it gets ready while the caller goes on. No event loop is needed yet.

        On Linux it dies with the *thread* that spawned it: spawn from one that lives as long as the run.
        With `advise` it says of a script that it loads what will not work as meant, in `warnings`.
        """
        limits = limits or WorkerLimits()
        return cls(spawn_worker(limits, advise=advise), limits)

    def send_ahead(self, name: str, source: bytes) -> None:
        """Give the worker its script before an event loop runs, so that it compiles while we go on; `load` awaits it.

        ScriptRefused when it is not text. One that does not fit into the socket's buffer waits for `load`.
        """
        frame = encode({"kind": "load", "source": decode_source(name, source)})
        if len(frame) <= _BUFFERED_BYTES:
            self._socket.sendall(frame)
            self._ahead = source

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the operating system's wall; known once a script is loaded."""
        return self._layers

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    async def load(self, name: str, source: bytes, *, untrusted: bool = False) -> dict[str, Any]:
        """Have a script read and compiled, and get its meta. ScriptRefused with all problems, or WorkerKilled.

        One that is `untrusted` must not be sent ahead: the worker gets it behind a whole wall only, or WallMissing.
        """
        self._where = name
        try:
            text = decode_source(name, source)
            await self._connect()
            if untrusted:
                await self._stand(name)
            load = None if self._ahead == source else {"kind": "load", "source": text}
            frame = await self._exchange(load)
        except BaseException:
            self.kill()
            raise
        if isinstance(frame, Refused):
            self.kill()
            raise ScriptRefused(name, frame.problems, frame.warnings)
        loaded = cast("Loaded", frame)
        self.warnings = loaded.warnings
        return loaded.meta

    async def run(self, args: Any, budget: BudgetTotals, handle: Callable[[Call | Note], None]) -> Any:
        """Run the loaded script and return its result; the worker has ended, whatever happened: `kill` collects it.

        `handle` gets calls and notes in the script's order; it must not block, and may reply at once. What it
        raises ends the run. ScriptFailed when the script raised, WorkerKilled when its process ended.
        """
        self._handle = handle
        totals = {"tokens": budget.tokens, "cost": budget.cost}
        try:
            frame = await self._exchange({"kind": "start", "args": args, "budget": totals})
        finally:
            self._end()  # collecting it takes a while: its result need not wait for that
        if isinstance(frame, Raised):
            raise death.failed(self._where, frame, self._limits)
        return cast("Result", frame).value

    def reply(self, call: Call, value: Any, spent: Spending) -> None:
        """Answer a call. Nothing happens when the worker is gone. ValueError when `value` is not JSON."""
        frame = {"kind": "reply", "id": call.id, "value": value, "spent": as_json(spent)}
        if isinstance(value, str) and len(value) >= LONG:
            place = self._outbox.put(value, self._replies + 1)
            if place is not None:
                frame["value"], frame["long"] = None, place
        self._answer(call, frame)

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
        self._end()
        self._process.wait()

    def _end(self) -> None:
        if self._stopwatch is not None:
            self._stopwatch.stop()
        if self._watch is not None:
            self._watch.stop()
        if self._transport is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is left to tell
                self._transport.abort()
            self._transport = None
        self._child.hang_up()
        end_worker(self._process)

    # What the wire calls

    def received(self, data: bytes) -> None:
        """Bytes came: frames, and a part of the next. The replies to them leave together."""
        self._taking = True
        if self._linger is not None:
            self._linger.heard()
        try:
            for body in self._splitter.feed(data):
                self._take(read_frame(bytes(body)), len(body))
        except (BadFrame, FrameTooLarge) as error:
            self.lost(death.broke_the_rules(self._where, str(error)))
        except Exception as error:  # noqa: BLE001 - what `handle` raises ends the run, in `run`
            self.lost(error)
        finally:
            self._taking = False
        self.flush()

    def lost(self, error: Exception) -> None:
        """Nothing more comes, or nothing more is wanted."""
        self._awaited.lost(error)

    def flush(self) -> None:
        """Send the replies that wait."""
        if self._outgoing and self._transport is not None:
            data = b"".join(self._outgoing)
            self._outgoing.clear()
            self._transport.write(data)
            if self._linger is not None and not self._waiting:
                self._linger.sent()

    def _take(self, frame: Frame, size: int) -> None:
        if isinstance(frame, Call):
            self._take_call(frame, size)
        elif isinstance(frame, Note):
            self._hand_over(frame)
        elif isinstance(frame, Idle):
            self._take_idle(frame)
        elif isinstance(frame, Ready):
            self._take_ready(frame)
        else:
            self._take_end(frame)

    async def _connect(self) -> None:
        loop, limits = asyncio.get_running_loop(), self._limits
        self._transport = await connected(self._socket, self.received, self.lost)
        self._linger = Linger(loop)
        self._stopwatch = Stopwatch(loop, limits.think_seconds, lambda: self._stop(death.thought_too_long))
        self._watch = watch_memory(loop, self._process.pid, limits, self._stop)

    async def _stand(self, name: str) -> None:
        """Wait until the worker stands behind its wall. WallMissing when that is not whole."""
        await self._exchange(None, until_ready=True)
        if lacking := gaps(self._layers):
            raise death.wall_missing(name, lacking)

    async def _exchange(self, frame: dict[str, Any] | None, *, until_ready: bool = False) -> Frame:
        """Send a frame, unless it was sent before, and wait until the worker has done what it asks for."""
        if self._transport is None or self._stopwatch is None:
            raise death.ended(self._where, self._process.poll(), self._limits)
        awaited = self._awaited.begin(ready=until_ready)
        self._stopwatch.start()
        if frame is not None:
            self._transport.write(encode(frame))
        try:
            return await awaited
        except Gone:
            code = await asyncio.to_thread(exit_code, self._process)
            raise death.ended(self._where, code, self._limits) from None
        finally:
            self._stopwatch.stop()

    def _take_call(self, call: Call, size: int) -> None:
        self._waiting.add(call.id, size)
        self._hand_over(call)

    def _hand_over(self, frame: Call | Note) -> None:
        if self._handle is None:
            raise BadFrame("a call or a note before the run began")
        self._handle(frame)

    def _take_idle(self, idle: Idle) -> None:
        if idle.seen > self._replies:
            raise BadFrame("more replies seen than were sent")
        self._outbox.seen(idle.seen)
        if self._stopwatch is not None:
            self._stopwatch.pause(idle.seen == self._replies)

    def _take_ready(self, frame: Ready) -> None:
        if self._layers:
            raise BadFrame("its layers told twice")
        self._layers = frame.layers
        self._awaited.came(frame)

    def _take_end(self, frame: Loaded | Refused | Result | Raised) -> None:
        if (self._handle is None) != isinstance(frame, Loaded | Refused):
            raise BadFrame("a frame out of turn")
        self._awaited.came(frame)

    def _answer(self, call: Call, frame: dict[str, Any]) -> None:
        if self._transport is None or self._stopwatch is None:
            return
        data = encode_quickly(frame)
        self._waiting.remove(call.id)
        self._replies += 1
        self._stopwatch.resume()
        self._outgoing.append(data)
        if not self._waiting:
            self.flush()  # the script waits for nothing else
        elif len(self._outgoing) == 1 and not self._taking:
            asyncio.get_running_loop().call_soon(self.flush)

    def _stop(self, why: Callable[[str, WorkerLimits], Exception]) -> None:
        self.lost(why(self._where, self._limits))
