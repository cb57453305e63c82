"""Tasks that take one piece of work after another: to wake one that waits costs a quarter of starting another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

Work = TypeVar("Work")
IDLE = 8
"""At most so many wait for more. Steps that come one by one need one, and each has to be ended with the run."""


class _Waiting(Generic[Work]):
    """A runner without work, until it is given some."""

    def __init__(self) -> None:
        self.work: Work | None = None
        self.woken = anyio.Event()

    def give(self, work: Work) -> None:
        self.work = work
        self.woken.set()


class Runners(Generic[Work]):
    """Does all that is started, each piece beside the others, as tasks of a group would."""

    def __init__(self, tasks: TaskGroup, do: Callable[[Work], Awaitable[None]]) -> None:
        self._tasks = tasks
        self._do = do
        self._idle: list[_Waiting[Work]] = []

    def start(self, work: Work) -> None:
        """Have it done soon; never blocks."""
        if self._idle:
            self._idle.pop().give(work)
        else:
            self._tasks.start_soon(self._run, work)

    async def _run(self, work: Work) -> None:
        await self._do(work)
        while len(self._idle) < IDLE:
            waiting: _Waiting[Work] = _Waiting()
            self._idle.append(waiting)
            try:
                await waiting.woken.wait()
            except BaseException:
                if waiting.work is not None:  # given in that very moment: it has to hear of the end, and tell
                    await self._do(waiting.work)
                raise
            finally:
                if waiting in self._idle:
                    self._idle.remove(waiting)
            if waiting.work is not None:
                await self._do(waiting.work)
