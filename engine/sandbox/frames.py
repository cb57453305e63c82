"""The wire between host and worker: four bytes of length (big-endian), then one JSON object in UTF-8."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

WAITING_BYTES = 64 * 1024 * 1024
"""How much the calls that wait for an answer may hold together; a script's further calls wait in its worker."""

_PREFIX = struct.Struct(">I")
_LARGE = 64 * 1024
"""From here on frames are looked at where they lie."""
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class FrameTooLarge(ValueError):
    """A frame announced more bytes than its reader takes."""


def encode(frame: dict[str, Any]) -> bytes:
    """One frame as bytes, ASCII only. ValueError or TypeError when it is not JSON."""
    return prefixed(_encode(frame).encode("ascii"))


def prefixed(body: bytes) -> bytes:
    """A frame's JSON with its length before it."""
    return _PREFIX.pack(len(body)) + body


class Splitter:
    """Cuts a stream of bytes into the bodies of its frames; keeps what is not whole yet, `limit` bytes at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._needed = _PREFIX.size

    def feed(self, data: bytes | bytearray) -> Iterator[bytes | bytearray | memoryview]:
        """The bodies that are whole now. FrameTooLarge before a longer one is kept."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            # Not copied once more: a frame may be most of the memory there is.
            data, self._rest = self._rest, bytearray()
        whole = memoryview(data) if len(data) > _LARGE else data
        start, end = 0, len(data)
        while end - start >= _PREFIX.size:
            (size,) = _PREFIX.unpack_from(data, start)
            if size > self._limit:
                raise FrameTooLarge(f"a frame of {size} bytes; at most {self._limit} are taken")
            body = start + _PREFIX.size
            self._needed = _PREFIX.size + size
            if body + size > end:
                break
            yield whole[body : body + size]
            start = body + size
        else:
            self._needed = _PREFIX.size
        self._rest += whole[start:]
