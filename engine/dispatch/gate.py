"""The gate before one provider: attempts pass in the order they came, unless it is paused or has enough of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import anyio

from engine.dispatch.breaker import UNKNOWN_RESET, Breaker
from engine.dispatch.pace import Pace
from engine.errors import Reason, StepFailed

Resting = Callable[[], AbstractAsyncContextManager[None]]
"""Around a wait: the step's place among those that run is another's meanwhile."""
Tell = Callable[[str, Reason, float], None]
"""Hears that a provider is paused, why, and for how many seconds."""
TOLD_FROM = 5.0
"""A shorter wait (seconds) that a provider asks for concerns the step that hears it, and nobody else."""


class StillPaused(StepFailed):
    """The provider was not asked: it is paused for longer than the step waits."""


class Gate:
    """One provider's. `now` and `sleep` are in the same seconds."""

    def __init__(
        self,
        name: str,
        pace: Pace,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        tell: Tell,
    ) -> None:
        self._name = name
        self._pace = pace
        self._breaker = Breaker()
        self._now = now
        self._sleep = sleep
        self._tell = tell
        self._line: deque[anyio.Event] = deque()

    async def enter(self, patience: float, resting: Resting) -> None:
        """Wait until one more attempt may begin, and count it. StillPaused when the pause outlasts `patience`."""
        if not self._line and self._pace.has_room and self._breaker.left(self._now()) == 0:
            self._pace.running += 1
            return
        entered = False
        try:
            async with resting():
                await self._wait(patience)
                self._pace.running += 1
                entered = True
        except BaseException:
            if entered:
                self.leave()
            raise

    def leave(self) -> None:
        """An attempt has ended."""
        self._pace.running -= 1
        self._wake_first()

    def succeeded(self, began: float) -> None:
        """An attempt that `began` then has its answer."""
        self._pace.hasten(began)

    def failed(self, failure: StepFailed, began: float) -> None:
        """An attempt that `began` then has none; the others hear of it where it concerns them."""
        now = self._now()
        if failure.reason == "quota":
            self._pause(failure, failure.retry_after or UNKNOWN_RESET, now)
            self._pace.crawl(now)  # when it is over, one asks whether it is
        elif failure.reason == "rate_limited":
            self._pace.slow(began, now)
            if failure.retry_after:
                self._pause(failure, failure.retry_after, now)

    def _pause(self, failure: StepFailed, seconds: float, now: float) -> None:
        if not self._breaker.open(failure.reason, seconds, now, failure.what):
            return
        for waiting in self._line:
            waiting.set()  # some of them would rather go elsewhere
        if failure.reason == "quota" or seconds >= TOLD_FROM:
            self._tell(self._name, failure.reason, seconds)

    async def _wait(self, patience: float) -> None:
        mine = anyio.Event()
        self._line.append(mine)
        try:
            while True:
                left = self._breaker.left(self._now())
                if left > patience:
                    raise self._paused(left)
                if left > 0:
                    await self._sleep(left)
                elif self._line[0] is mine and self._pace.has_room:
                    return
                else:
                    mine = await self._woken(mine)
        finally:
            self._line.remove(mine)
            self._wake_first()

    async def _woken(self, mine: anyio.Event) -> anyio.Event:
        """Wait to be woken; the event that waits next stands in the same place of the line."""
        await mine.wait()
        fresh = anyio.Event()
        self._line[self._line.index(mine)] = fresh
        return fresh

    def _wake_first(self) -> None:
        if self._line:
            self._line[0].set()

    def _paused(self, left: float) -> StillPaused:
        return StillPaused(
            self._breaker.reason,
            f"{self._name} takes no steps for another {left:.0f} s: {self._breaker.why}",
            provider=self._name,
            retry_after=left,
            hint="name a second provider, or let steps wait longer with the setting `patience`",
        )
