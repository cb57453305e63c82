"""One child process and everything it starts: spawn it, feed it, read its lines, end the whole tree.

Completion is an event of the loop, never polled. A child runs in a session of its own; since the tools of coding
agents open further sessions, the tree is found again by a mark in its environment before it is killed. What a child
leaves behind ends with it, and none outlives us: that is `process_watch`'s part.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, cast

import anyio

from engine.process_pipes import filled_pipe, widen
from engine.process_tree import MARKER, family
from engine.process_watch import Household, household

Cut = Literal["timeout", "stalled", "line"]
GRACE_SECONDS = 5.0
"""Between the polite signal and the hard one."""
LINGER_SECONDS = 1.0
"""How long output is awaited from grandchildren that still hold the pipe when the child itself is gone."""
MAXIMUM_LINE = 64 * 1024 * 1024
TAIL_BYTES = 32 * 1024

_KEPT = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TERM", "TMPDIR", "TZ"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
        *(
            "SYSTEMROOT",
            "COMSPEC",
            "PATHEXT",
            "TEMP",
            "TMP",
            "USERPROFILE",
            "APPDATA",
            "LOCALAPPDATA",
            "PROGRAMDATA",
        ),
    )
)
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_KEPT_PREFIXES = ("LC_", "XDG_")


class Command(NamedTuple):
    """What to run: the program and its arguments (never a shell line), its folder, environment and standard input."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    input: bytes = b""


class Exit(NamedTuple):
    """How a child ended. `code` is negative for a signal; `cut` says which of our limits ended it, if one did."""

    code: int
    cut: Cut | None
    errors: str
    """The end of what it wrote to standard error."""
    seconds: float


def child_environment(parent: Mapping[str, str], names: tuple[str, ...] = ()) -> dict[str, str]:
    """The part of our environment that a child may see: an allow-list, plus `names` that its adapter asks for."""
    return {
        name: value
        for name, value in parent.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES) or name in names
    }


async def run_child(
    command: Command,
    on_line: Callable[[bytes], None],
    *,
    timeout: float | None = None,
    stall_timeout: float | None = None,
) -> Exit:
    """Run a command to its end and give every line of its output, without the newline, to `on_line`.

    Raises OSError when it cannot be started, and what `on_line` raises. When it is cancelled, and whenever it ends
    early, the whole tree is dead before this returns.
    """
    with household() as ours:
        return await _run(command, ours, lambda loop: _Child(loop, on_line, timeout, stall_timeout))


async def _run(
    command: Command, ours: Household, hearing: Callable[[asyncio.AbstractEventLoop], _Child]
) -> Exit:
    loop = asyncio.get_running_loop()
    mark = ours.admit()
    started = loop.time()
    marked = command._replace(environment={**command.environment, MARKER: ours.variable(mark)})
    transport, child = await _spawn(marked, lambda: hearing(loop))
    by_itself = False
    try:
        child.feed(command.input)
        await child.done.wait()
        by_itself = child.exited.is_set() and child.cut is None and child.error is None
    finally:
        if by_itself:
            _signal_group(transport.get_pid(), _KILL)
            ours.left(mark)
        else:
            with anyio.CancelScope(shield=True):
                await _end_tree(transport, child, ours, mark)
        child.finish()
        transport.close()
    if child.error is not None:
        raise child.error
    return Exit(transport.get_returncode() or 0, child.cut, child.complaint(), loop.time() - started)


async def _spawn(
    command: Command, listener: Callable[[], _Child]
) -> tuple[asyncio.SubprocessTransport, _Child]:
    """Start it, its standard input given or on its way."""
    filled = filled_pipe(command.input)
    try:
        # Shielded: a cancellation between the fork and our knowing of the child would leave it behind.
        with anyio.CancelScope(shield=True):
            return await asyncio.get_running_loop().subprocess_exec(
                listener,
                *command.arguments,
                stdin=asyncio.subprocess.PIPE if filled is None else filled,
                cwd=command.folder,
                env=command.environment,
                start_new_session=True,
            )
    finally:
        if filled is not None:
            os.close(filled)
    raise AssertionError("a shield swallows nothing")  # which the type checker cannot know


class _Child(asyncio.SubprocessProtocol):
    """Hears a child: cuts its output into lines, and knows when it is done, by itself or by one of our limits."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_line: Callable[[bytes], None],
        timeout: float | None,
        stall_timeout: float | None,
    ) -> None:
        self.done = asyncio.Event()
        self.exited = asyncio.Event()
        self.cut: Cut | None = None
        self.error: Exception | None = None
        self._loop = loop
        self._on_line = on_line
        self._heard = loop.time()
        self._open = {1, 2}
        self._pending = bytearray()
        self._tail = bytearray()
        self._timers: list[asyncio.TimerHandle] = []
        if timeout is not None:
            self._timers.append(loop.call_later(timeout, self._end_by, "timeout"))
        if stall_timeout is not None:
            self._timers.append(loop.call_later(stall_timeout, self._look_for_stall, stall_timeout))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        widen(self._transport)

    def feed(self, data: bytes) -> None:
        """Give it its standard input, unless it has it, and close that. It may answer without reading everything."""
        stdin = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))
        if stdin is not None:
            stdin.write(data)
            stdin.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._heard = self._loop.time()
        if fd == 2:
            self._tail += data
            del self._tail[:-TAIL_BYTES]
            return
        self._take(data)
        if self.error is not None:
            self.finish()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        self._finish_if_over()

    def process_exited(self) -> None:
        self.exited.set()
        self._timers.append(self._loop.call_later(LINGER_SECONDS, self.finish))
        self._finish_if_over()

    def complaint(self) -> str:
        """The end of what it wrote to standard error."""
        return self._tail.decode(errors="replace").strip()

    def finish(self) -> None:
        """It is done, one way or another; the last line may lack its newline."""
        if self.done.is_set():
            return
        for timer in self._timers:
            timer.cancel()
        self.done.set()
        if self._pending and self.error is None and self.cut is None:
            last, self._pending = bytes(self._pending), bytearray()
            self._tell(last)

    def _finish_if_over(self) -> None:
        if self.exited.is_set() and not self._open:
            self.finish()

    def _take(self, data: bytes) -> None:
        if self.done.is_set():
            return
        searched = len(self._pending)
        self._pending += data
        if self._pending.find(b"\n", searched) >= 0:
            self._cut(searched)
        if len(self._pending) > MAXIMUM_LINE:
            self._end_by("line")

    def _cut(self, searched: int) -> None:
        # A line may be most of the memory there is: it is copied once, and ours is gone before it is heard.
        first = self._pending.find(b"\n", searched)
        line = bytes(memoryview(self._pending)[:first])
        *lines, self._pending = self._pending[first + 1 :].split(b"\n")
        self._tell(line)
        for further in lines:
            self._tell(bytes(further))

    def _tell(self, line: bytes) -> None:
        if self.error is not None:
            return
        try:
            self._on_line(line)
        except Exception as error:  # noqa: BLE001  the listener's, raised again where the child was started
            self.error = error

    def _look_for_stall(self, limit: float) -> None:
        left = self._heard + limit - self._loop.time()
        if left <= 0:
            self._end_by("stalled")
        else:
            self._timers.append(self._loop.call_later(left, self._look_for_stall, limit))

    def _end_by(self, cut: Cut) -> None:
        self.cut = cut
        self.finish()


async def _end_tree(
    transport: asyncio.SubprocessTransport, child: _Child, ours: Household, mark: str
) -> None:
    """Politely, then hard, then whatever escaped into sessions of its own."""
    pid = transport.get_pid()
    # As long as nobody has died, even those are found that threw their environment away.
    known = [] if child.exited.is_set() else list(family(pid))
    _signal_group(pid, signal.SIGTERM)
    with anyio.move_on_after(GRACE_SECONDS):
        await child.exited.wait()
    known += [] if child.exited.is_set() else family(pid)
    _signal_group(pid, _KILL)
    await ours.end(mark, session=pid, known=known)
    await child.exited.wait()


def _signal_group(leader: int, number: int) -> None:
    # The group outlives its leader while members run, so it is signalled even when the leader has gone.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            os.kill(leader, number)
        else:
            os.killpg(leader, number)
