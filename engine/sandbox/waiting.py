"""The calls of a script that wait for an answer: numbered in order, and bounded in number and size."""

from __future__ import annotations

from engine.sandbox.frames import WAITING_BYTES
from engine.sandbox.inbound import BadFrame


class WaitingCalls:
    """Which calls wait, and how much they hold together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._last = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, number: int, size: int) -> None:
        """A call came. BadFrame when an honest worker would not have sent it now."""
        if number <= self._last:
            raise BadFrame("a call with a number that was used before")
        if len(self._sizes) >= self._most:
            raise BadFrame("more calls at once than agreed")
        if self._bytes >= WAITING_BYTES:
            raise BadFrame("larger calls at once than agreed")
        self._last = number
        self._sizes[number] = size
        self._bytes += size

    def remove(self, number: int) -> None:
        """The call has its answer."""
        self._bytes -= self._sizes.pop(number)
