"""The worker's end of the socket: frames collected and sent in one go, and a send that never blocks the host."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from typing import Any

from engine.sandbox.frames import Splitter, encode
from engine.sandbox.shared_memory import Inbox

BATCH_BYTES = 64 * 1024
_SPIN_SECONDS = 0.001
"""How long an answer is looked for before the worker sleeps, if the last one was that quick: reused steps come in a
third of the time when no processor has to be woken for each. Agents take seconds; for them it never spins."""
_RECEIVE_BYTES = 256 * 1024
"""Received into one buffer: a new one would be mapped and unmapped for every frame, at more than its cost."""
_NO_LIMIT = 2**32
_SEVERAL_PROCESSORS = len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else False
_decode = json.JSONDecoder().decode
_NEVER_BLOCK = getattr(socket, "MSG_DONTWAIT", 0)


class HostGone(Exception):
    """The host closed its end; there is nobody left to work for."""


class Channel:
    """Sends in batches, receives what came. A frame beyond `frame_bytes` is refused before it is sent."""

    def __init__(self, connection: socket.socket, frame_bytes: int, inbox: Inbox | None = None) -> None:
        self._socket = connection
        self._inbox = inbox or Inbox(None)
        self.frame_bytes = frame_bytes
        self._splitter = Splitter(_NO_LIMIT)
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        self._buffer = bytearray(_RECEIVE_BYTES)
        self._quick = False
        self._alone = False
        self._arrived: list[dict[str, Any]] = []

    def send(self, frame: dict[str, Any]) -> int:
        """Put one frame in the batch; its size in bytes. ValueError when it is larger than the host takes."""
        data = encode(frame)
        if len(data) > self.frame_bytes:
            raise ValueError(
                f"this is {len(data) / 2**20:.1f} MiB; at most {self.frame_bytes / 2**20:g} can be sent"
            )
        self._outgoing.append(data)
        self._outgoing_bytes += len(data)
        if self._outgoing_bytes >= BATCH_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Send the batch now. Reads while the host cannot take more, so that the two never wait for each other."""
        left = memoryview(b"".join(self._outgoing))
        self._outgoing.clear()
        self._outgoing_bytes = 0
        while left:
            try:
                left = left[self._socket.send(left, _NEVER_BLOCK) :]
            except BlockingIOError:
                self._wait_to_send()
            except OSError:
                raise HostGone from None

    def _wait_to_send(self) -> None:
        readable, _, _ = select.select([self._socket], [self._socket], [])
        if readable:
            self._read()

    def wait(self, seen: int, *, alone: bool) -> list[dict[str, Any]]:
        """Tell the host that the script waits, having seen so many replies; then the frames that came, at least one.

        `alone`: it waits for one call only, so that a quick reply is worth staying awake for.
        """
        self.send({"kind": "idle", "seen": seen})
        self._alone = alone
        return self.receive()

    def receive(self) -> list[dict[str, Any]]:
        """The frames that came, at least one. HostGone at the end of the stream."""
        self.flush()
        while not self._arrived:
            self._read()
        arrived, self._arrived = self._arrived, []
        return arrived

    def _read(self) -> None:
        try:
            received = self._receive()
        except OSError:
            raise HostGone from None
        if not received:
            raise HostGone
        data = bytes(memoryview(self._buffer)[:received])
        self._arrived += [self._whole(_decode(str(body, "utf-8"))) for body in self._splitter.feed(data)]

    def _whole(self, frame: dict[str, Any]) -> dict[str, Any]:
        """A frame with its value, which stands elsewhere when it is long."""
        if "long" in frame:
            frame["value"] = self._inbox.take(*frame.pop("long"))
        return frame

    def _receive(self) -> int:
        if self._quick and self._alone and _SEVERAL_PROCESSORS:
            until = time.perf_counter() + _SPIN_SECONDS
            while time.perf_counter() < until:
                try:
                    return self._socket.recv_into(self._buffer, 0, _NEVER_BLOCK)
                except BlockingIOError:
                    os.sched_yield()  # others here go first; where it is missing nobody spins
        started = time.perf_counter()
        received = self._socket.recv_into(self._buffer)
        self._quick = time.perf_counter() - started < _SPIN_SECONDS
        return received
