"""One child process and everything it starts: spawn it, feed it, read its lines, end the whole tree.

Completion is an event of the loop, never polled. A child runs in a session of its own; since the tools of coding
agents open further sessions, the tree is found again by a marker in its environment (Linux) before it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, cast

import anyio

Cut = Literal["timeout", "stalled", "line"]
MARKER = "MCO_PROCESS_TREE"
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
    loop = asyncio.get_running_loop()
    marker = f"{os.getpid()}-{uuid.uuid4().hex}"
    started = loop.time()
    transport, child = await _spawn(command, marker, lambda: _Child(loop, on_line, timeout, stall_timeout))
    try:
        child.feed(command.input)
        await child.done.wait()
    finally:
        if not child.exited.is_set():
            with anyio.CancelScope(shield=True):
                await _end_tree(transport, child, marker)
        child.finish()
        transport.close()
    if child.error is not None:
        raise child.error
    return Exit(transport.get_returncode() or 0, child.cut, child.complaint(), loop.time() - started)


async def _spawn(
    command: Command, marker: str, listener: Callable[[], _Child]
) -> tuple[asyncio.SubprocessTransport, _Child]:
    # Shielded: a cancellation between the fork and our knowing of the child would leave it behind.
    with anyio.CancelScope(shield=True):
        return await asyncio.get_running_loop().subprocess_exec(
            listener,
            *command.arguments,
            cwd=command.folder,
            env={**command.environment, MARKER: marker},
            start_new_session=True,
        )
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
        self._stall_timeout = stall_timeout
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

    def feed(self, data: bytes) -> None:
        """Give it its standard input and close that. A child may answer without reading everything."""
        stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
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
            self._tell(bytes(self._pending))

    def _finish_if_over(self) -> None:
        if self.exited.is_set() and not self._open:
            self.finish()

    def _take(self, data: bytes) -> None:
        if self.done.is_set():
            return
        searched = len(self._pending)
        self._pending += data
        if self._pending.find(b"\n", searched) >= 0:
            *lines, self._pending = self._pending.split(b"\n")
            for line in lines:
                self._tell(bytes(line))
        if len(self._pending) > MAXIMUM_LINE:
            self._end_by("line")

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


async def _end_tree(transport: asyncio.SubprocessTransport, child: _Child, marker: str) -> None:
    """Politely, then hard, then whatever escaped into sessions of its own."""
    _signal_group(transport.get_pid(), signal.SIGTERM)
    with anyio.move_on_after(GRACE_SECONDS):
        await child.exited.wait()
    _signal_group(transport.get_pid(), _KILL)
    for pid in marked_processes(marker):
        await _end_stray(pid)
    await child.exited.wait()


async def _end_stray(pid: int) -> None:
    """Kill a process that is not our child, and wait until it is dead."""
    with contextlib.suppress(OSError):  # it went by itself
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, _KILL)
            with anyio.move_on_after(GRACE_SECONDS):
                await anyio.wait_readable(handle)
        finally:
            os.close(handle)


def _signal_group(leader: int, number: int) -> None:
    # The group outlives its leader while members run, so it is signalled even when the leader has gone.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            os.kill(leader, number)
        else:
            os.killpg(leader, number)


def marked_processes(marker: str) -> list[int]:
    """The processes whose environment carries the marker; empty where there is no /proc."""
    wanted = f"{MARKER}={marker}".encode()
    return [pid for pid, given in _markers() if given == wanted]


def kill_everything() -> None:
    """Kill whatever children of this process have started, without waiting; for an end that cannot wait."""
    ours = f"{MARKER}={os.getpid()}-".encode()
    for pid, given in _markers():
        if given.startswith(ours):
            with contextlib.suppress(OSError):  # it went by itself
                os.kill(pid, _KILL)


def _markers() -> Iterator[tuple[int, bytes]]:
    """The marked processes of this machine that we may look at, each with its marker."""
    beginning = f"{MARKER}=".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for variable in (entry / "environ").read_bytes().split(b"\0"):
                if variable.startswith(beginning):
                    yield int(entry.name), variable
