"""Wall clock of a script's thinking: it runs while the script has the ball, and stands while it waits for us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Stopwatch:
    """Calls `expired` when one stretch of thinking lasts `seconds`. Costs one timer a stretch's length, not a call."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = expired
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The script has the ball from now on."""
        self._since = self._loop.time()
        self._timer = self._loop.call_later(self._seconds, self._check)

    def pause(self, all_seen: bool) -> None:
        """The script waited for us a moment ago; it waits still when it has seen all that we sent."""
        self._since = None if all_seen else self._loop.time()

    def resume(self) -> None:
        """Something was sent to the script: it has the ball, if it had not."""
        if self._since is None:
            self._since = self._loop.time()

    def stop(self) -> None:
        """The script is done."""
        self._since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        left = self._seconds
        if self._since is not None:
            left = self._since + self._seconds - self._loop.time()
        if left <= 0:
            self._expired()
        else:
            self._timer = self._loop.call_later(left, self._check)
