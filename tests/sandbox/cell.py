"""A process that raises layers of the wall, and then tries something: plain Python, with no policy around it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
_ONLY_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only root can become somebody else; this user has no privileges anyway",
)
USERS = [
    pytest.param(None, id="as this user"),
    pytest.param(NOBODY, id="as nobody", marks=_ONLY_ROOT),
]
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the layers of Linux")

_BOOT = """
import ctypes, encodings.idna, errno, fcntl, json, mmap, os, resource, signal, socket, sys, _thread
sys.path.insert(0, {root!r})
os.dup2({descriptor}, 3)
told = socket.socket(fileno=3)
from engine.sandbox.walls import kernel, landlock, limits, order, process, seccomp, surroundings
libc, parent = ctypes.CDLL(None, use_errno=True), os.getppid()
user = {user!r}
if user is not None:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)

def call(number, *arguments):
    return kernel.system_call(number, *arguments)

{names}
{raised}
try:
    {attempt}
    said = "done"
except OSError as error:
    said = errno.errorcode[error.errno]
except Exception as error:
    said = type(error).__name__
told.send(str(said).encode())
os._exit(0)
"""
WHOLE = "layers = order.raise_walls(256 << 20, 5, parent)"
NOTHING = ""
Names = Mapping[str, object]
NONE: Names = {}


class Ended(NamedTuple):
    """How an attempt ended: `done`, the name of the error, or of the signal that killed the process."""

    said: str
    complaint: str


def attempt(lines: str, names: Names = NONE, *, raised: str = WHOLE, user: int | None = None) -> str:
    """What came of `lines` behind what `raised` raises: `done`, an error's name, or the signal that killed it."""
    return _ended(lines, raised, user, names).said


def answer(expression: str, *, raised: str = WHOLE, user: int | None = None) -> str:
    """What an expression is worth there, as text."""
    ended = _ended(f"told.send(str({expression}).encode()); os._exit(0)", raised, user, NONE)
    assert ended.complaint == "", ended.complaint
    return ended.said


def _ended(lines: str, raised: str, user: int | None, names: Names) -> Ended:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        given = "\n".join(f"{name} = {value!r}" for name, value in names.items())
        code = _BOOT.format(
            root=str(ROOT),
            descriptor=theirs.fileno(),
            user=user,
            names=given,
            raised=raised,
            attempt="\n    ".join(lines.splitlines()),
        )
        child = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            cwd="/",
            env={},
            capture_output=True,
            text=True,
            check=False,
        )
        theirs.close()
        said = b"".join(iter(lambda: ours.recv(65536), b"")).decode()
    if child.returncode < 0:
        said = signal.Signals(-child.returncode).name
    return Ended(said, child.stderr)
