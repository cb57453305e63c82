"""Looks at a worker's memory from outside, where the system does not hold a process to a limit: on macOS.

Written without a Mac at hand: the measuring is untested, the watching is not.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from engine.sandbox.death import grew_too_large
from engine.sandbox.limits import WorkerLimits

Stop = Callable[[Callable[[str, WorkerLimits], Exception]], None]
"""Ends a worker, with what words are made with for the reason."""
LOOK_SECONDS = 0.1
_USAGE_VERSION = 0
_FOOTPRINT = 16 + 7 * 8
"""Where `ri_phys_footprint` stands in `struct rusage_info_v0`: behind a 16 bytes long id and seven numbers."""
_USAGE_BYTES = 16 + 10 * 8


class MemoryWatch:
    """Calls `exceeded` once when `measure` says more than `most` bytes; `stop` ends the watch."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        measure: Callable[[], int],
        most: int,
        exceeded: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._measure = measure
        self._most = most
        self._exceeded = exceeded
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Measure now, and again in a moment."""
        if self._measure() > self._most:
            self._exceeded()
        else:
            self._timer = self._loop.call_later(LOOK_SECONDS, self.look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()


def watch_memory(
    loop: asyncio.AbstractEventLoop, process: int, limits: WorkerLimits, stop: Stop
) -> MemoryWatch | None:
    """A watch that has begun; None where the system itself holds the worker to its limit."""
    if sys.platform != "darwin":
        return None
    watch = MemoryWatch(loop, lambda: _footprint(process), limits.memory_bytes, lambda: stop(grew_too_large))
    watch.look()
    return watch


def _footprint(process: int) -> int:
    """The bytes that count against a process on macOS; 0 when it is gone."""
    import ctypes  # a system that needs no watch need not load it

    usage = ctypes.create_string_buffer(_USAGE_BYTES)
    if ctypes.CDLL(None).proc_pid_rusage(process, _USAGE_VERSION, usage) != 0:
        return 0
    return ctypes.c_uint64.from_buffer(usage, _FOOTPRINT).value
