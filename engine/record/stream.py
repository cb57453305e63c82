"""The one stream of a run's events: it stamps their order, writes the journal first, then tells the views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from engine.record.events import Event, Happening

Kind = TypeVar("Kind", bound=Happening)


class Sink(Protocol):
    """Where events are kept before anybody sees them."""

    def write(self, event: Happening, *, more: bool = False, sync: bool = False) -> None:
        """Keep one event; with `more` it may wait for the next. StorageFailed when it cannot.

        With `sync` not even a power failure takes it away any more.
        """
        ...

    def flush(self) -> None:
        """Keep what waits."""
        ...

    def sync(self) -> None:
        """Have the disk itself take what was kept; may be called in another thread. StorageFailed when it cannot."""
        ...


class Stream:
    """Gives every event its `seq` and time. `clock` returns seconds since the epoch."""

    def __init__(self, sink: Sink, clock: Callable[[], float]) -> None:
        self._sink = sink
        self._clock = clock
        self._seq = 0
        self._views: list[Callable[[Any], None]] = []

    def subscribe(self, view: Callable[[Event], None]) -> None:
        """From now on `view` is called with every event, after the journal has it."""
        self._views.append(view)

    def emit(self, kind: type[Kind], *, more: bool = False, sync: bool = False, **fields: Any) -> Kind:
        """Something happened: stamp it, keep it, tell it. StorageFailed when the journal cannot be written.

        `more` promises another event, or `flush`, at once, so that both are written in one go. With `sync` the disk
        itself has it when this returns.
        """
        self._seq += 1
        event = kind(seq=self._seq, at=self._clock(), **fields)
        self._sink.write(event, more=more, sync=sync)
        for view in self._views:
            view(event)
        return event

    def flush(self) -> None:
        """No other event follows at once after all: what waits for it is kept now."""
        self._sink.flush()

    def sync(self) -> None:
        """What was kept so far outlives a power failure. To be called in any thread; StorageFailed when it cannot."""
        self._sink.sync()
