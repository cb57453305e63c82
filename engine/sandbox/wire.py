"""The host's end of the socket as the event loop sees it: one callback for whatever came."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

_RECEIVE_BYTES = 256 * 1024
_UNREAD_BYTES = 8 * 1024 * 1024
"""So much may wait to be sent before nothing more is read."""


class Gone(Exception):
    """The worker's end of the socket was closed."""


async def connected(
    connection: socket.socket, received: Callable[[bytes], None], lost: Callable[[Exception], None]
) -> asyncio.Transport:
    """The socket, served by the running event loop from now on."""
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(lambda: Wire(received, lost), sock=connection)
    transport.set_write_buffer_limits(high=_UNREAD_BYTES)
    return transport


class Wire(asyncio.BufferedProtocol):
    """The socket's events. While the worker does not read, nothing more is read from it either."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[Exception], None]) -> None:
        self._received = received
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(_RECEIVE_BYTES)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ours to read and write."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go: always the same buffer."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        self._received(bytes(memoryview(self._buffer)[:nbytes]))

    def pause_writing(self) -> None:
        """The worker does not read."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The worker reads again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The worker closed its end, or is gone."""
        self._lost(Gone())
