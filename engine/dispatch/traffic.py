"""All gates of a run, and behind them the machine's slots: what one attempt has to pass."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from pathlib import Path
from types import TracebackType

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
        now: Callable[[], float] = time.monotonic,
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

    def passage(self, provider: str, patience: float, resting: Resting) -> Passage:
        """Around one attempt, whose end it hears. StillPaused when the provider is, for longer than `patience`."""
        gate = self._gates.get(provider) or self._new_gate(provider)
        return Passage(gate, self._slots, patience, resting, self._now)

    def _new_gate(self, provider: str) -> Gate:
        pace = Pace(self._limits.get(provider, inf))
        gate = Gate(provider, pace, now=self._now, sleep=self._sleep, tell=self._tell)
        self._gates[provider] = gate
        return gate


class Passage:
    """One attempt's way through the gate and one of the machine's slots, and out again."""

    def __init__(
        self, gate: Gate, slots: Slots | None, patience: float, resting: Resting, now: Callable[[], float]
    ) -> None:
        self._gate = gate
        self._slots = slots
        self._slot: RunLock | None = None
        self._patience = patience
        self._resting = resting
        self._now = now
        self._began = 0.0

    async def __aenter__(self) -> None:
        await self._gate.enter(self._patience, self._resting)
        if self._slots is not None:
            try:
                self._slot = self._slots.free() or await self._rest_until_free(self._slots)
            except BaseException:
                self._gate.leave()
                raise
        self._began = self._now()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._gate.succeeded(self._began)
            elif isinstance(error, StepFailed):
                self._gate.failed(error, self._began)
        finally:
            if self._slot is not None:
                self._slot.release()
            self._gate.leave()

    async def _rest_until_free(self, slots: Slots) -> RunLock:
        slot: RunLock | None = None
        try:
            async with self._resting():
                slot = await slots.wait()
        except BaseException:
            if slot is not None:
                slot.release()
            raise
        return slot
