"""All gates of a run, and behind them the machine's slots: what one attempt has to pass."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path

import anyio

from engine.dispatch.gate import Gate, Resting, Tell
from engine.dispatch.pace import Pace
from engine.dispatch.slots import Slots
from engine.errors import Reason, StepFailed
from engine.record.events import ProviderPaused
from engine.record.lock import RunLock
from engine.record.stream import Stream
from engine.settings import Settings


class Traffic:
    """Lets attempts through. `limits` says how many one provider gets at once, by name; any number for the others."""

    def __init__(
        self,
        *,
        tell: Tell,
        limits: Mapping[str, int] | None = None,
        slots: Slots | None = None,
        now: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._tell = tell
        self._limits = limits or {}
        self._slots = slots
        self._now = now
        self._sleep = sleep
        self._gates: dict[str, Gate] = {}

    @classmethod
    def of(cls, settings: Settings, limits: Mapping[str, int], folder: Path, stream: Stream) -> Traffic:
        """As the settings want it; pauses are told on the stream, and the machine's slots are in `folder`."""

        def tell(provider: str, reason: Reason, seconds: float) -> None:
            stream.emit(ProviderPaused, provider=provider, reason=reason, seconds=seconds)

        number = settings.max_machine_parallel
        slots = None if number is None else Slots(folder, number, anyio.sleep)
        return cls(tell=tell, limits=limits, slots=slots)

    @asynccontextmanager
    async def passage(self, provider: str, patience: float, resting: Resting) -> AsyncGenerator[None]:
        """Around one attempt, whose end it hears. StillPaused when the provider is, for longer than `patience`."""
        gate = self._gates.get(provider) or self._new_gate(provider)
        await gate.enter(patience, resting)
        slot: RunLock | None = None
        try:
            if self._slots is not None:
                slot = self._slots.free() or await self._rest_until_free(self._slots, resting)
            began = self._now()
            try:
                yield
            except StepFailed as failure:
                gate.failed(failure, began)
                raise
            gate.succeeded(began)
        finally:
            if slot is not None:
                slot.release()
            gate.leave()

    def _new_gate(self, provider: str) -> Gate:
        pace = Pace(self._limits.get(provider, inf))
        gate = Gate(provider, pace, now=self._now, sleep=self._sleep, tell=self._tell)
        self._gates[provider] = gate
        return gate

    async def _rest_until_free(self, slots: Slots, resting: Resting) -> RunLock:
        slot: RunLock | None = None
        try:
            async with resting():
                slot = await slots.wait()
        except BaseException:
            if slot is not None:
                slot.release()
            raise
        return slot
