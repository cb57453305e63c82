"""Turns what providers say while they work into events, thinned so that a journal stays readable."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import StepFailed
from engine.providers.base import Progress
from engine.record.events import StepProgressed, StepRetried, StepStarted
from engine.record.stream import Stream
from engine.text import clean_line

TEXT_INTERVAL = 0.5
"""Seconds between two text events of one step. Tool calls are all kept."""


class StepWatcher:
    """The events of one step while it runs. That one which `writes` has begun is known even after a power failure:
    the run that takes this one up asks what is to become of its work.
    """

    def __init__(
        self, number: int, stream: Stream, clock: Callable[[], float], *, writes: bool = False
    ) -> None:
        self._number = number
        self._stream = stream
        self._clock = clock
        self._writes = writes
        self._next_text = 0.0

    def started(self, provider: str, attempt: int) -> None:
        """An attempt begins."""
        self._stream.emit(
            StepStarted, step=self._number, provider=provider, attempt=attempt, sync=self._writes
        )

    def progressed(self, provider: str, progress: Progress) -> None:
        """Tell what a provider is doing, unless text was told a moment ago."""
        if progress.what == "text":
            if self._clock() < self._next_text:
                return
            self._next_text = self._clock() + TEXT_INTERVAL
        text = clean_line(progress.text)
        self._stream.emit(StepProgressed, step=self._number, provider=provider, what=progress.what, text=text)

    def retried(self, provider: str, attempt: int, failure: StepFailed, delay: float) -> None:
        """An attempt failed and another follows."""
        self._stream.emit(
            StepRetried,
            step=self._number,
            provider=provider,
            attempt=attempt,
            reason=failure.reason,
            message=clean_line(str(failure), 500),
            delay=delay,
        )
