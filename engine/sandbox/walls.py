"""The operating system's part: what the worker gives up before it reads a script. Says which layers really stand."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

try:
    import resource
except ImportError:  # Windows has none of these limits
    resource: Any = None

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39


def raise_walls(memory_bytes: int, cpu_seconds: int, parent: int) -> list[str]:
    """Give up what a script never needs; the names of the layers that are active, in the order of their raising.

    `parent` is the process that started us: when it is gone already, there is nobody to work for.
    """
    os.environ.clear()
    layers = [name for name, is_active in _CONDITIONS.items() if is_active()]
    if sys.platform == "linux":
        layers += _linux(parent)
    layers += _limits(memory_bytes, cpu_seconds)
    return layers


def _is_own_session() -> bool:
    return hasattr(os, "getsid") and os.getsid(0) == os.getpid()


_CONDITIONS: dict[str, Callable[[], bool]] = {
    "session": _is_own_session,
    "environment": lambda: not os.environ,
    "folder": lambda: os.path.dirname(os.getcwd()) == os.getcwd(),  # noqa: PTH109, PTH120 - pathlib is slow to import
}


def _linux(parent: int) -> list[str]:
    libc = ctypes.CDLL(None, use_errno=True)
    layers: list[str] = []
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0:
        layers.append("parent-death-signal")
    if os.getppid() != parent:
        os._exit(0)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
        layers.append("not-dumpable")
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1:
        layers.append("no-new-privileges")
    return layers


def _limits(memory_bytes: int, cpu_seconds: int) -> list[str]:
    """Limits of the process, as far as this system has them; each is read back."""
    wanted = {
        "cpu": ("RLIMIT_CPU", cpu_seconds, cpu_seconds + 1),
        "memory": ("RLIMIT_AS", memory_bytes, memory_bytes),
        "files": ("RLIMIT_FSIZE", 0, 0),
        "core": ("RLIMIT_CORE", 0, 0),
        "processes": ("RLIMIT_NPROC", 0, 0),
        "descriptors": ("RLIMIT_NOFILE", 0, 0),
    }
    layers: list[str] = []
    for name, (limit, soft, hard) in wanted.items():
        number = getattr(resource, limit, None)
        if number is None:
            continue
        try:
            resource.setrlimit(number, (soft, hard))
        except (OSError, ValueError):
            continue
        if resource.getrlimit(number) == (soft, hard) and not (name == "processes" and _is_root()):
            layers.append(f"limit-{name}")
    return layers


def _is_root() -> bool:
    """The number of processes is the one limit that does not hold for root."""
    return os.geteuid() == 0
