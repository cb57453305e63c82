"""Starts a worker process: an interpreter with nothing but a socket, and the two folders it imports from."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from engine.errors import WorkerKilled
from engine.freed_memory import ENVIRONMENT
from engine.sandbox.limits import WorkerLimits
from engine.sandbox.shared_memory import Outbox

_DYING_SECONDS = 2.0
_BOOT = """\
import sys
sys.path[:0] = [sys.argv.pop(1), sys.argv.pop(1)]
from engine.sandbox.worker import main
main(sys.argv[1:])
"""


class Child(NamedTuple):
    """A worker that is starting, and our ends of what connects us."""

    process: subprocess.Popen[bytes]
    connection: socket.socket
    outbox: Outbox

    def hang_up(self) -> None:
        """Close our ends; harmless when called twice."""
        self.connection.close()
        self.outbox.close()


def spawn_worker(limits: WorkerLimits, *, advise: bool = False) -> Child:
    """Start a worker. WorkerKilled when no process can be started.

    Only with `advise` it loads what warnings are made with, which no run waits for.
    """
    try:
        return _started(limits, advise=advise)
    except OSError as error:
        raise WorkerKilled(
            "the script's process cannot be started",
            why=error.strerror or str(error),
            hint="close some programs, or allow more processes and open files",
        ) from error


def _started(limits: WorkerLimits, *, advise: bool) -> Child:
    ours, theirs = socket.socketpair()
    outbox = Outbox()
    with theirs:
        command = _command(limits, theirs.fileno(), advise=advise)
        try:
            return Child(_process(command, theirs, outbox, limits), ours, outbox)
        except OSError:
            ours.close()
            outbox.close()
            raise


def _process(
    command: list[str], connection: socket.socket, outbox: Outbox, limits: WorkerLimits
) -> subprocess.Popen[bytes]:
    folder = Path(sys.executable).anchor
    if sys.platform == "win32":
        from engine.sandbox.walls.windows import start_in_a_job  # its wall is raised from outside

        return start_in_a_job(command, folder, connection, limits)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if outbox.descriptor is None else outbox.descriptor,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(connection.fileno(),),
        start_new_session=True,
        cwd=folder,
        env=ENVIRONMENT,
    )


def exit_code(process: subprocess.Popen[bytes]) -> int | None:
    """What a worker ended with, which closed its socket a moment ago; None when it is there all the same."""
    try:
        return process.wait(_DYING_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def end_worker(process: subprocess.Popen[bytes]) -> None:
    """End a worker and everything in its session, without waiting. Harmless when it is gone."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _command(limits: WorkerLimits, descriptor: int, *, advise: bool) -> list[str]:
    """No site (it is slow and reads the user's folders), no environment of ours, UTF-8, and no warnings to nobody."""
    numbers = (
        descriptor,
        os.getpid(),
        limits.memory_bytes,
        limits.cpu_seconds,
        limits.frame_bytes,
        limits.calls_waiting,
        *([1] if advise else []),
    )
    interpreter = [sys.executable, "-I", "-S", "-E", "-X", "utf8", "-W", "ignore", "-c", _BOOT]
    return [*interpreter, _folder_of("engine"), _folder_of("RestrictedPython"), *map(str, numbers)]


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package {package} is not installed", name=package)
    return str(Path(spec.origin).parent.parent)
