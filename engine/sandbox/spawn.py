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

from engine.errors import WorkerKilled
from engine.sandbox.limits import WorkerLimits

_BOOT = """\
import sys
sys.path[:0] = [sys.argv.pop(1), sys.argv.pop(1)]
from engine.sandbox.worker import main
main(sys.argv[1:])
"""


def spawn_worker(limits: WorkerLimits) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A worker that is starting, and our end of its socket. WorkerKilled when no process can be started."""
    try:
        return _started(limits)
    except OSError as error:
        raise WorkerKilled(
            "the script's process cannot be started",
            why=error.strerror or str(error),
            hint="close some programs, or allow more processes and open files",
        ) from error


def _started(limits: WorkerLimits) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                _command(limits, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                cwd=Path(sys.executable).anchor,
                env={},
            )
        except OSError:
            ours.close()
            raise
    return process, ours


def kill_worker(process: subprocess.Popen[bytes]) -> None:
    """End a worker and everything in its session, and collect it. Harmless when it is gone."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _command(limits: WorkerLimits, descriptor: int) -> list[str]:
    """No site (it is slow and reads the user's folders), no environment, UTF-8, and no warnings to nobody."""
    numbers = (
        descriptor,
        os.getpid(),
        limits.memory_bytes,
        limits.cpu_seconds,
        limits.frame_bytes,
        limits.calls_waiting,
    )
    interpreter = [sys.executable, "-I", "-S", "-E", "-X", "utf8", "-W", "ignore", "-c", _BOOT]
    return [*interpreter, _folder_of("engine"), _folder_of("RestrictedPython"), *map(str, numbers)]


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package {package} is not installed", name=package)
    return str(Path(spec.origin).parent.parent)
