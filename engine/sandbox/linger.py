"""Keeps the event loop awake for a moment after a reply, if the script's last call came that quickly.

Waking a sleeping processor costs more than all the rest of a reused step, and a script that finds its answers again
makes its next call at once. One that waits for agents is not waited for.
"""

from __future__ import annotations

import asyncio
import os

MOMENT_SECONDS = 0.001


def several_processors() -> bool:
    """Whether waiting awake takes nothing from the other side of the socket."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return usable > 1


class Linger:
    """Told when replies are sent and when something is heard, it decides whether the loop sleeps in between."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._able = several_processors()
        self._sent_at = 0.0
        self._quick = False
        self._awake = False

    def sent(self) -> None:
        """The only call that waited was answered; the next may come at once."""
        self._sent_at = self._loop.time()
        if self._quick and self._able and not self._awake:
            self._awake = True
            self._loop.call_soon(self._stay_awake)

    def heard(self) -> None:
        """Something came from the script."""
        self._quick = self._loop.time() - self._sent_at < MOMENT_SECONDS

    def _stay_awake(self) -> None:
        # A callback that is due makes the loop look for input without sleeping.
        self._awake = self._quick and self._loop.time() - self._sent_at < MOMENT_SECONDS
        if self._awake:
            self._loop.call_soon(self._stay_awake)
