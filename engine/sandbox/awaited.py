"""The frame that the host waits for: what a script's loading or running comes to."""

from __future__ import annotations

import asyncio

from engine.sandbox.inbound import Frame, Ready


class Awaited:
    """One frame at a time is waited for. Once the worker is lost, every wait ends with the first reason."""

    def __init__(self) -> None:
        self._future: asyncio.Future[Frame] | None = None
        self._ready = False
        self._lost: Exception | None = None

    def begin(self, *, ready: bool = False) -> asyncio.Future[Frame]:
        """Wait for what a script comes to, or with `ready` for the worker to stand behind its wall."""
        self._ready = ready
        self._future = asyncio.get_running_loop().create_future()
        if self._lost is not None:
            self._future.set_exception(self._lost)
        return self._future

    def came(self, frame: Frame) -> None:
        """The frame is there; one that nobody waits for is passed over."""
        if self._future is None or self._future.done() or isinstance(frame, Ready) != self._ready:
            return
        self._future.set_result(frame)

    def lost(self, error: Exception) -> None:
        """Nothing more comes."""
        self._lost = self._lost or error
        if self._future is not None and not self._future.done():
            self._future.set_exception(error)
