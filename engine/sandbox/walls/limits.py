"""Limits of the process, as far as the system has them: each is tried where that does no harm, else read back."""

from __future__ import annotations

import os
import sys
from errno import EBADF, EFBIG, EINVAL, EMFILE, ENOMEM
from typing import Any

from engine.sandbox.layer import Layer
from engine.sandbox.walls.proof import Attempt, confirmed, proven

if sys.platform == "linux":
    from engine.sandbox.walls import kernel

try:
    import resource
except ImportError:  # Windows has none of these limits
    resource: Any = None

SOCKET = 3
"""The descriptor of the worker's socket, and the only one that stays."""
_MOST_DESCRIPTORS = 1 << 20
_READ_BACK = "read back from the system"


def set_limits(memory_bytes: int, cpu_seconds: int) -> list[Layer]:
    """All limits but that of descriptors, which other layers still need to be raised."""
    wanted = {
        "cpu": ("RLIMIT_CPU", cpu_seconds, cpu_seconds + 1),
        "memory": ("RLIMIT_AS", memory_bytes, memory_bytes),
        "files": ("RLIMIT_FSIZE", 0, 0),
        "core": ("RLIMIT_CORE", 0, 0),
        "processes": ("RLIMIT_NPROC", 0, 0),
    }
    return [_limit(f"limit-{name}", *limit, memory_bytes) for name, limit in wanted.items()]


def close_descriptors() -> Layer:
    """Close all but the socket and forbid more. From here on no file can be opened, whoever asks."""
    if resource is None:
        return _absent("limit-descriptors")
    os.closerange(0, SOCKET)
    os.closerange(SOCKET + 1, _MOST_DESCRIPTORS)
    layer = _limit("limit-descriptors", "RLIMIT_NOFILE", 0, 0, 0)
    tries = [
        Attempt("another descriptor", lambda: os.close(os.dup(SOCKET)), (EMFILE, EINVAL)),
        Attempt("standard input", lambda: os.fstat(0), (EBADF,)),
    ]
    return proven(layer.name, tries) if layer.stands else layer


def _limit(name: str, constant: str, soft: int, hard: int, memory_bytes: int) -> Layer:
    number = getattr(resource, constant, None)
    if number is None:
        return _absent(name)
    try:
        resource.setrlimit(number, (soft, hard))
    except (OSError, ValueError) as error:
        return Layer(name, stands=False, said=f"the system refuses it: {error}")
    if why := _not_held_to(name):
        return Layer(name, stands=False, said=why)
    attempt = _attempt(name, memory_bytes)
    if attempt is not None:
        return proven(name, [attempt])
    return confirmed(name, _READ_BACK, stands=resource.getrlimit(number) == (soft, hard))


def _absent(name: str) -> Layer:
    return Layer(name, stands=False, said="this system has no such limit")


def _not_held_to(name: str) -> str:
    """Why a limit that was set does not hold all the same; empty when it does."""
    if name == "limit-processes" and os.geteuid() == 0:
        return "set, but the system does not hold root to it: seccomp does"
    if name == "limit-memory" and sys.platform == "darwin":
        return "set, but macOS does not hold to it; mco watches from outside (untested)"
    return ""


def _attempt(name: str, memory_bytes: int) -> Attempt | None:
    """What the limit must stop, where it can be tried without harm."""
    if sys.platform != "linux":
        return None
    if name == "limit-memory":
        return _too_much_memory(memory_bytes)
    return _one_byte() if name == "limit-files" else None


def _too_much_memory(memory_bytes: int) -> Attempt:
    def act() -> None:
        if sys.platform == "linux":
            kernel.map_memory(memory_bytes, kernel.NO_ACCESS)

    return Attempt(f"{memory_bytes >> 20} MiB at once", act, (ENOMEM,))


def _one_byte() -> Attempt | None:
    """Writing to a file that is nowhere on disk; None where there is no such file."""
    try:
        descriptor = os.memfd_create("limit")
    except OSError:
        return None

    def act() -> None:
        try:
            os.write(descriptor, b"x")
        finally:
            os.close(descriptor)

    return Attempt("writing one byte to a file", act, (EFBIG,))
