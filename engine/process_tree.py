"""Finds and ends all that a child has started, sessions of its own included: a mark in their environment tells them.

As a program (`process_tree.py MARK`) it is what a dead mco leaves to its watch: it ends all that carries the mark.
It runs there with nothing but the standard library, so it imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

MARKER = "MCO_PROCESS_TREE"
"""The variable. It holds a mark for each mco around the process, the outermost first."""
BETWEEN_MARKS = ":"
PAUSE_SECONDS = 0.01
"""Between two passes: what was killed takes a moment to die, and what forked meanwhile is found by the next pass."""
PATIENCE_SECONDS = 5.0
MOST_ROUNDS = 100
"""Of a pass; who still forks after so many is killed as far as found, and the next pass goes on."""
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_STOP = getattr(signal, "SIGSTOP", _KILL)
_PROC = Path("/proc")


class Member(NamedTuple):
    """One process, and when it began: its number may be another's by the time it is killed."""

    pid: int
    began: str


class Ending:
    """Kills all processes with marks that are `wanted`, all below them and all in their sessions, pass by pass.

    `known` are further ones, found before their parents died, and `sessions` whole ones.
    """

    def __init__(
        self, wanted: Callable[[str], bool], known: Iterable[Member] = (), sessions: Iterable[int] = ()
    ) -> None:
        self._wanted = wanted
        self._known = set(known)
        self._sessions = set(sessions)

    def kill(self) -> bool:
        """One pass. Whether anybody was there: only a pass that finds nobody says that all are dead."""
        # Who forks between being found and being killed leaves an orphan, which may have thrown its mark away. So all
        # are stopped until nobody new is found, and killed then, children before their parents.
        found: set[Member] = set()
        for _ in range(MOST_ROUNDS):
            new = self._members() - found
            if not new:
                break
            found |= new
            for member in new:
                _send(member, _STOP)
        self._known = {member for member in sorted(found, key=_age) if _send(member, _KILL)}
        return bool(self._known)

    def _members(self) -> set[Member]:
        carriers = {pid for pid, marks in marked() if any(map(self._wanted, marks))}
        # A child begins a session before it has its mark, so whatever is in a session with one is ours as well.
        self._sessions |= {session for pid in carriers if (session := _session(pid))}
        known = {member.pid for member in self._known if _began(member.pid) == member.began}
        pids = carriers | known | set(_in_sessions(self._sessions))
        return {member for pid in pids for member in family(pid)}

    def finish(self, patience: float = PATIENCE_SECONDS) -> None:
        """Pass after pass, blocking, until nobody is left or patience ends."""
        until = time.monotonic() + patience
        while self.kill() and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)


def is_within(prefix: str) -> Callable[[str], bool]:
    """Wants the marks that are `prefix`, or that begin with it and a dash."""
    beginning = prefix + "-"
    return lambda mark: mark == prefix or mark.startswith(beginning)


def kill_everything() -> None:
    """Kill whatever children of this process have started, without waiting; for an end that cannot wait."""
    Ending(is_within(str(os.getpid()))).kill()


def marked() -> Iterator[tuple[int, tuple[str, ...]]]:
    """The marked processes that we may look at, each with its marks."""
    if not _PROC.is_dir():
        yield from _marked_by_ps()
        return
    beginning = f"{MARKER}=".encode()
    for pid in _pids():
        if beginning in (environment := _read(f"/proc/{pid}/environ")):
            for variable in environment.split(b"\0"):
                if variable.startswith(beginning):
                    yield pid, _marks(variable[len(beginning) :].decode(errors="replace"))


def family(pid: int) -> Iterator[Member]:
    """A process and all that descend from it, as long as nobody in between has died. Without /proc, only itself."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        began = _began(pid)
        if began is not None:
            yield Member(pid, began)
            waiting += _children(pid)


def _pids() -> list[int]:
    names = os.listdir(_PROC)  # noqa: PTH208  five times as quick as paths, and we look at every process
    return [int(name) for name in names if name.isdigit()]


def _session(pid: int) -> int:
    """The session of a process; 0 when it has gone, or when that is the one we are in."""
    try:
        session = os.getsid(pid)
        return 0 if session == os.getsid(0) else session
    except OSError:
        return 0


def _in_sessions(sessions: set[int]) -> Iterator[int]:
    if sessions and _PROC.is_dir():
        yield from (pid for pid in _pids() if _session(pid) in sessions)


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  as above
    except OSError:
        return []
    return [
        int(child) for thread in threads for child in _read(f"/proc/{pid}/task/{thread}/children").split()
    ]


def _marks(value: str) -> tuple[str, ...]:
    return tuple(value.split(BETWEEN_MARKS))


def _read(path: str) -> bytes:
    """A file of /proc; empty when its process has gone, or is not ours."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  as above
            return file.readall()
    except OSError:
        return b""


def _began(pid: int) -> str | None:
    """When a process began, in the system's ticks. None when it has gone, empty where that cannot be told."""
    if not _PROC.is_dir():
        return ""
    state, _, rest = _read(f"/proc/{pid}/stat").rpartition(b") ")[2].partition(b" ")
    if not state or state in b"ZX":  # dead already, and waiting to be collected
        return None
    return rest.split()[18].decode()


def _age(member: Member) -> int:
    """Less for those that began later."""
    return -int(member.began or 0)


def _send(member: Member, number: int) -> bool:
    """Send a signal to a process, if it still is who it was. Whether it got it."""
    handle = -1
    with contextlib.suppress(AttributeError, OSError):  # older systems have no handles for processes
        handle = os.pidfd_open(member.pid)
    try:
        # Looked at once the handle is there: the handle stays that process's, the number may not.
        if _began(member.pid) != member.began:
            return False
        if handle >= 0:
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(member.pid, number)
    except OSError:
        return False  # it went by itself, or it is not ours
    else:
        return True
    finally:
        if handle >= 0:
            os.close(handle)


def _marked_by_ps() -> Iterator[tuple[int, tuple[str, ...]]]:
    """As `marked`, for macOS. It hides the environment of its own programs, whose marks are therefore not seen."""
    if sys.platform != "darwin":
        return
    import subprocess  # of no use elsewhere

    listing = subprocess.run(
        ["/bin/ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=False
    ).stdout
    yield from marked_in(listing)


def marked_in(listing: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The marked processes of what `ps` printed: a number, a command and its environment on each line."""
    for line in listing.splitlines():
        number, _, words = line.strip().partition(" ")
        _, found, rest = words.partition(f" {MARKER}=")
        if found and number.isdigit():
            yield int(number), _marks(rest.split(" ", 1)[0])


def main() -> None:
    """End all that carries the mark, unless standard input has a word of farewell first."""
    if sys.stdin.readline():
        return
    ending = Ending(is_within(sys.argv[1]))
    ending.finish(6 * PATIENCE_SECONDS)
    # A child that was being started when mco died gets its mark with its program, a moment later.
    time.sleep(10 * PAUSE_SECONDS)
    ending.finish()


if __name__ == "__main__":
    main()
