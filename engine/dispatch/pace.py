"""How many attempts one provider gets at once: halved when it says that they are too many, slowly raised again."""

from __future__ import annotations

from math import inf


class Pace:
    """Counts the attempts of one provider against its limit, which is never above `most`. Pure: told the time."""

    def __init__(self, most: float = inf) -> None:
        self.running = 0
        self._most = most
        self._limit = most
        self._slowed_at = -inf

    @property
    def has_room(self) -> bool:
        """Whether one more may begin."""
        return self.running + 1 <= self._limit

    @property
    def limit(self) -> float:
        """How many may run at once."""
        return self._limit

    def slow(self, began: float, now: float) -> None:
        """An attempt that `began` then was one too many. Those that began before the last halving do not count."""
        if began > self._slowed_at:
            self._limit = max(1.0, min(self._limit, self.running) / 2)
            self._slowed_at = now

    def crawl(self, now: float) -> None:
        """Begin again with one at a time."""
        self._limit = 1.0
        self._slowed_at = now

    def hasten(self, began: float) -> None:
        """An attempt went well: one more at once for every round of them that did."""
        if began >= self._slowed_at:
            self._limit = min(self._most, self._limit + 1 / self._limit)
