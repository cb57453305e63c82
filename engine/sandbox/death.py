"""How a script or its worker came to a bad end, or to none: one clear sentence for each way."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from engine.errors import ScriptFailed, WallMissing, WorkerKilled
from engine.sandbox.inbound import Raised
from engine.sandbox.limits import WorkerLimits


def ended(where: str, code: int | None, limits: WorkerLimits) -> WorkerKilled:
    """The worker's process ended with `code` (negative: a signal), without a result."""
    if code == -_signal("SIGXCPU"):
        return WorkerKilled(
            f"the script used more than {limits.cpu_seconds} s of CPU time and was stopped",
            where=where,
            hint="look for a loop that never ends; let agents do the heavy work",
        )
    if code in (-_signal("SIGSEGV"), -_signal("SIGABRT"), -_signal("SIGBUS")):
        return WorkerKilled(
            "the script crashed the interpreter",
            where=where,
            why="most often by nesting a value very deeply",
            hint="keep values flat",
        )
    if code == -_signal("SIGSYS"):
        return WorkerKilled(
            "the script's process asked the system for what no script needs, and was stopped",
            where=where,
            hint="the script may be trying to leave the sandbox; do not run it again unread. "
            "If it is harmless, the sandbox is too strict here: please report it",
        )
    if code == -_signal("SIGKILL"):
        return WorkerKilled("the script's process was killed from outside", where=where, hint="run it again")
    how = f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"
    return WorkerKilled("the script's process ended without a result", where=where, why=how)


def wall_missing(where: str, lacking: Sequence[str]) -> WallMissing:
    """The script is untrusted, and the wall of the system around its worker lacks these layers."""
    return WallMissing(
        "the script is untrusted, and the operating system's part of the sandbox is not whole here",
        where=where,
        why="; ".join(lacking),
        hint="`mco doctor` shows every layer; run it on Linux, in containers with seccomp allowed, "
        "or read the script, keep it in a folder of your own, and run it without --untrusted",
    )


def failed(where: str, raised: Raised, limits: WorkerLimits) -> ScriptFailed:
    """The script raised, ran out of memory, or returned what is not JSON. Its own lines are the error's notes."""
    if raised.line:
        where = f"{where}:{raised.line}"
    if raised.type == "result":
        why, _, hint = raised.message.partition("; hint: ")
        return ScriptFailed("the result is not JSON", where=where, why=why, hint=hint or None)
    if raised.type == "MemoryError":
        size = f"{limits.memory_bytes // 2**20} MiB"
        return ScriptFailed(
            f"the script used more than {size} of memory", where=where, hint="keep less at once"
        )
    why = f"{raised.type}: {raised.message}" if raised.message else raised.type
    error = ScriptFailed("the script failed", where=where, why=why)
    error.exception = raised.type
    for line in raised.trace:
        error.add_note(line)
    return error


def grew_too_large(where: str, limits: WorkerLimits) -> WorkerKilled:
    """The worker used more memory than it may, on a system that does not stop it by itself."""
    size = f"{limits.memory_bytes // 2**20} MiB"
    return WorkerKilled(f"the script used more than {size} of memory", where=where, hint="keep less at once")


def thought_too_long(where: str, limits: WorkerLimits) -> WorkerKilled:
    """The script kept the ball for too long."""
    return WorkerKilled(
        f"the script ran for {limits.think_seconds:g} s without waiting for a step and was stopped",
        where=where,
        hint="look for a loop that never ends; let agents do the heavy work",
    )


def broke_the_rules(where: str, why: str) -> WorkerKilled:
    """The worker sent what no honest worker sends."""
    return WorkerKilled(
        "the script's process broke the protocol and was stopped",
        where=where,
        why=why,
        hint="the script may be trying to leave the sandbox; do not run it again unread",
    )


def _signal(name: str) -> int:
    """A signal's number; where the system lacks it, one that no process ends with."""
    return int(getattr(signal, name, 10_000))
