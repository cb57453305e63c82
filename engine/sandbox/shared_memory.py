"""Long texts on their way to a worker, through memory that the host writes and the worker reads (Linux).

Through the socket a mebibyte goes in pieces of what its buffer takes, each waiting for the other side, as JSON that is
made and read again. Here it is copied in and out. The worker gets the memory as its standard input, which it maps and
closes before its wall is raised; the host never reads what stands there, whatever a worker does to it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NamedTuple

BYTES = 8 * 1024 * 1024
"""The memory of one worker; as much of it is taken as was used."""
LONG = 64 * 1024
"""Characters from which on a text goes this way."""
_UNREAD = 16
"""How many texts may wait there to be read."""


class Place(NamedTuple):
    """Where a text stands: in bytes, as UTF-8."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size


class Outbox:
    """The host's end: each text stands in the first gap that takes it, until the worker has read it."""

    def __init__(self) -> None:
        """Make the memory; without any, where the system has none, every text is refused."""
        self._file = -1
        self._memory: memoryview | None = None
        self._unread: dict[int, Place] = {}
        if sys.platform == "linux":
            with suppress(OSError):
                self._file = os.memfd_create("mco")
                try:
                    os.ftruncate(self._file, BYTES)
                except OSError:  # files may not be so large (`ulimit -f`)
                    self.close()

    @property
    def descriptor(self) -> int | None:
        """What a worker needs to read it; None where there is nothing."""
        return None if self._file < 0 else self._file

    def put(self, text: str, number: int) -> Place | None:
        """Leave a text for the worker, with the reply of that number; None when it has to go another way."""
        if self._file < 0 or len(self._unread) >= _UNREAD or len(text) > BYTES:
            return None
        try:
            data = text.encode()
            place = Place(self._gap(len(data)), len(data))
            if place.end > BYTES:
                return None
            self._memory = self._memory or self._mapped()
            self._memory[place.start : place.end] = data
        except (UnicodeEncodeError, OSError):
            return None
        self._unread[number] = place
        return place

    def _mapped(self) -> memoryview:
        import mmap  # few runs have long texts

        return memoryview(mmap.mmap(self._file, BYTES))

    def seen(self, number: int) -> None:
        """The worker has read all replies up to this one."""
        for each in [each for each in self._unread if each <= number]:
            del self._unread[each]

    def _gap(self, size: int) -> int:
        start = 0
        for place in sorted(self._unread.values()):
            if place.start - start >= size:
                break
            start = place.end
        return start

    def close(self) -> None:
        """Give the memory back; harmless when called twice."""
        self._memory = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Inbox:
    """The worker's end: `memory` is the whole of it, None where there is none."""

    def __init__(self, memory: memoryview | None) -> None:
        self._memory = memory

    def take(self, start: int, size: int) -> str:
        """The text that stands there."""
        if self._memory is None:
            raise ValueError("no memory is shared")
        return str(self._memory[start : start + size], "utf-8")


def mapped_input() -> memoryview | None:
    """The memory that was handed over as standard input, None when that is something else."""
    if sys.platform != "linux":
        return None
    from engine.sandbox.walls import kernel

    try:
        return kernel.map_file(0, BYTES) if os.fstat(0).st_size == BYTES else None
    except OSError:
        return None
