"""What the operating system's wall costs: once a run, and in every call."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from benchmarks.figure import Figure, best
from benchmarks.sandbox import IN_SEQUENCE, calls, packages
from engine.sandbox import spawn

RAISING = """
import os, socket, struct, sys, time
sys.path[:0] = sys.argv[3:]
import engine.sandbox.worker
from engine.sandbox.walls.limits import SOCKET
from engine.sandbox.walls.order import raise_walls
os.dup2(int(sys.argv[1]), SOCKET)
connection = socket.socket(fileno=SOCKET)
started = time.perf_counter()
layers = raise_walls(512 << 20, 30, int(sys.argv[2]))
seconds = time.perf_counter() - started
connection.send(struct.pack("d", seconds))
os._exit(0)
"""
BOOT = "_BOOT"
WITHOUT = """
import engine.sandbox.worker as worker
worker.raise_walls = lambda *limits: []
"""


def raising() -> float:
    """Seconds in which a worker raises and tries all its layers."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        folders = packages()
        arguments = [str(theirs.fileno()), str(os.getpid()), *folders]
        subprocess.run(
            [sys.executable, "-I", "-S", "-E", "-X", "utf8", "-c", RAISING, *arguments],
            check=True, env={}, cwd="/", pass_fds=[theirs.fileno()], start_new_session=True,
        )  # fmt: skip
        (seconds,) = struct.unpack("d", ours.recv(8))
    return seconds


def without_walls() -> float:
    """Seconds a call of a worker that has raised none of them; only a benchmark can start one."""
    way_in = "from engine.sandbox.worker import main\n"
    boot: str = getattr(spawn, BOOT).replace(way_in, WITHOUT + way_in)
    with patch.object(spawn, BOOT, boot):
        return calls(IN_SEQUENCE, 10_000)


def walls(folder: Path) -> list[Figure]:
    """Both."""
    seconds = min(raising() for _ in range(15))
    with_them, without = best(lambda: calls(IN_SEQUENCE, 10_000), without_walls, 15)
    return [
        Figure(
            what="the operating system's wall, once a run", floor_name="2 ms",
            ours=seconds * 1000, floor=2, unit="ms", most=1,
        ),
        Figure(
            what="a call behind the wall", floor_name="without it",
            ours=with_them * 1e6, floor=without * 1e6, unit="µs", most=1.05,
        ),
    ]  # fmt: skip
