"""A provider's pause: opened when it says that it answers nothing for a while, over when that time is."""

from __future__ import annotations

from math import inf

from engine.errors import Reason

UNKNOWN_RESET = 900.0
"""Seconds of a pause whose end nobody named: more than a step waits, unless the user wants it to."""
_SAME = 1.0


class Breaker:
    """Until when one provider is left alone, and why. Pure: told what time it is. Times in seconds."""

    def __init__(self) -> None:
        self.reason: Reason = "quota"
        self.why = ""
        self._until = -inf

    def open(self, reason: Reason, seconds: float, now: float, why: str) -> bool:
        """Leave the provider alone for `seconds`. Whether that was not known already."""
        until = now + seconds
        if until <= self._until + _SAME:
            return False
        self.reason, self.why, self._until = reason, why, until
        return True

    def left(self, now: float) -> float:
        """How long the pause still lasts; 0 when there is none."""
        return max(0.0, self._until - now)
