"""What the children of a run share: their mark, a watch over them that outlives us, and the end of what they left.

A process that is killed can clean up nothing. So a shell waits beside it, in a session of its own, on a pipe that only
we hold: when that closes without a word of farewell, the shell becomes `process_tree.py` and ends all that is marked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import anyio
from anyio.lowlevel import RunVar

from engine import process_tree
from engine.process_tree import (
    BETWEEN_MARKS,
    MARKER,
    PATIENCE_SECONDS,
    PAUSE_SECONDS,
    Ending,
    Member,
    is_within,
)

SETTLE_SECONDS = 2.0
"""How long what an ended child left behind may live: looking for it after each child would cost more than the child."""
# A shell takes a tenth of the memory of an interpreter, which most runs never need.
_WAIT = "trap '' HUP INT TERM; read -r farewell && exit; exec \"$@\""
_SHELL = "/bin/sh"


class Watch:
    """The process that waits for our death. OSError when it cannot be started."""

    def __init__(self, mark: str) -> None:
        program = [sys.executable, "-I", "-S", process_tree.__file__, mark]
        waiting = [_SHELL, "-c", _WAIT, "mco-watch", *program]
        ends, self._ours = os.pipe()
        try:
            # It gets no environment: without a mark it is not taken for one of those it watches over.
            self._process = subprocess.Popen(
                waiting if os.access(_SHELL, os.X_OK) else program,
                stdin=ends,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                env={},
            )
        except OSError:
            os.close(self._ours)
            raise
        finally:
            os.close(ends)

    @property
    def alive(self) -> bool:
        """Whether it still waits."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def farewell(self) -> None:
        """All is well: it may go."""
        with contextlib.suppress(OSError):  # it was killed
            os.write(self._ours, b"farewell\n")
        os.close(self._ours)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:  # somebody has stopped it
            self._process.kill()
            self._process.wait()


class Doomed(NamedTuple):
    """A child that ends: its mark, its session, and those who were found below it before it died."""

    mark: str
    session: int
    known: tuple[Member, ...]


class Household:
    """The children of a run, or of several in one event loop. `close` ends what is left of any of them."""

    def __init__(self) -> None:
        self.users = 0
        self.mark = f"{os.getpid()}-{os.urandom(8).hex()}"
        self._outer = os.environ.get(MARKER)
        self._numbers = count(1)
        self._watch: Watch | None = None
        self._doomed: list[Doomed] = []
        self._sweeping = anyio.Lock()
        self._ended: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def admit(self) -> str:
        """The mark of a child that is about to start. From now on it does not outlive us. OSError as of `Watch`."""
        if sys.platform != "win32" and (self._watch is None or not self._watch.alive):
            if self._watch is not None:
                self._watch.farewell()
            self._watch = Watch(self.mark)
        return f"{self.mark}-{next(self._numbers)}"

    def variable(self, mark: str) -> str:
        """What the child's environment says: the marks of every mco that it runs in, one inside another."""
        return mark if not self._outer else f"{self._outer}{BETWEEN_MARKS}{mark}"

    @property
    def watch(self) -> Watch | None:
        """Who watches, once a child has been started."""
        return self._watch

    def left(self, mark: str) -> None:
        """A child has ended by itself. What it left in other sessions is ended a little later, that of many at once."""
        self._ended.add(mark)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle)

    def _settle(self) -> None:
        self._timer = None
        ended, self._ended = self._ended, set()
        if Ending(ended.__contains__).kill():
            for mark in ended:
                self.left(mark)  # until a pass finds nobody

    async def end(self, mark: str, session: int, known: Iterable[Member]) -> None:
        """Kill all that a child has started, and wait until it is dead. Children that end together share passes."""
        mine = Doomed(mark, session, tuple(known))
        self._doomed.append(mine)
        async with self._sweeping:
            if mine not in self._doomed:
                return  # somebody took it along
            batch, self._doomed = self._doomed, []
            marks = {doomed.mark for doomed in batch}
            ending = Ending(
                marks.__contains__,
                known=[member for doomed in batch for member in doomed.known],
                sessions=[doomed.session for doomed in batch],
            )
            with anyio.move_on_after(PATIENCE_SECONDS):
                while ending.kill():  # noqa: ASYNC110  strangers' children tell us nothing when they die
                    await anyio.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """End what is left, and let the watch go."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            Ending(is_within(self.mark)).finish()
            self._watch.farewell()
            self._watch = None


# Of the event loop, not of the task: steps are begun by what the script's worker sends, in nobody's task.
_around: RunVar[Household | None] = RunVar("household", None)


@contextmanager
def household() -> Generator[Household]:
    """The household of this event loop, closed when the last that uses it leaves."""
    ours = _around.get()
    if ours is None:
        ours = Household()
        _around.set(ours)
    ours.users += 1
    try:
        yield ours
    finally:
        ours.users -= 1
        if ours.users == 0:
            _around.set(None)
            ours.close()
