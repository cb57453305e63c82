"""The places of those steps that run at once, and a step's turn at one of them."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from types import TracebackType

import anyio


class Places:
    """A number of places, first come, first served; those that come back are served before those that begin."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.free = number
        self._beginning: deque[anyio.Event] = deque()
        self._returning: deque[anyio.Event] = deque()

    @property
    def taken(self) -> int:
        """How many places somebody has."""
        return self._number - self.free

    async def take(self, *, back: bool = False) -> None:
        """Wait for a place and have it. At once, without letting others run, when one is free."""
        if self.free > 0:
            self.free -= 1
            return
        line = self._returning if back else self._beginning
        given = anyio.Event()
        line.append(given)
        try:
            await given.wait()
        except BaseException:
            if given.is_set():
                self.give()
            else:
                line.remove(given)
            raise

    def give(self) -> None:
        """A place is free: it goes to who waits first."""
        line = self._returning or self._beginning
        if line:
            line.popleft().set()
        else:
            self.free += 1


class Turn:
    """One step's place, from its beginning to its end; given up while the step only waits.

    `again` is called when a place was taken back after such a wait; what it raises comes out there.
    """

    def __init__(self, places: Places, again: Callable[[], None]) -> None:
        self._places = places
        self._again: Callable[[], None] | None = again
        self._held = False
        self._working = 1
        self._taking: AbstractAsyncContextManager[None] = nullcontext()

    async def __aenter__(self) -> Turn:
        await self._places.take()
        self._held = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give()

    def split(self, branches: int) -> None:
        """From now on several of its branches work side by side, each until it is `done`; `again` is not called."""
        self._working = branches
        self._taking = anyio.Lock(fast_acquire=True)
        self._again = None

    def done(self) -> None:
        """One branch has ended."""
        self._working -= 1
        if self._working == 0:
            self._give()

    @asynccontextmanager
    async def resting(self) -> AsyncGenerator[None]:
        """Inside, this branch only waits. When none works, others have the place."""
        self.done()
        try:
            yield
            await self._take_back()
        finally:
            self._working += 1

    async def _take_back(self) -> None:
        async with self._taking:
            if self._held:
                return
            await self._places.take(back=True)
            self._held = True
        if self._again is not None:
            self._again()

    def _give(self) -> None:
        if self._held:
            self._held = False
            self._places.give()
