"""Which steps are found again: the rules over the answer store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.record.events import Logged
from engine.record.stream import Stream
from engine.step import Answer, Key, Step

if TYPE_CHECKING:
    from engine.dispatch.cache import AnswerCache, KeptAnswer


class Reuse:
    """The answers of earlier runs for one run. None older than `expire` seconds is found, with `fresh` none at all.

    The store in `folder` is opened for the first step that needs it: StorageFailed when it cannot be. What is wrong
    with what it holds is told on the stream; it costs the reuse, never the run.
    """

    def __init__(
        self,
        folder: Path,
        *,
        stream: Stream,
        run_id: str,
        clock: Callable[[], float],
        expire: float,
        fresh: bool,
    ) -> None:
        self._folder = folder
        self._stream = stream
        self._run_id = run_id
        self._clock = clock
        self._expire = expire
        self._fresh = fresh
        self._opened: AnswerCache | None = None

    def find(self, step: Step, key: Key) -> KeptAnswer | None:
        """The answer that this step needs not be asked for."""
        if self._fresh or not _keepable(step):
            return None
        cache = self._opened or self._open()
        kept = cache.get(key.digest)
        self._tell_warnings(cache)
        allowed = self._expire if step.cache is True else min(step.cache, self._expire)
        if kept is None or self.age(kept) > allowed:
            return None
        return kept

    def keep(self, step: Step, key: Key, answer: Answer) -> None:
        """Remember an answer."""
        if _keepable(step):
            cache = self._opened or self._open()
            cache.put(key, answer, run=self._run_id, made_at=self._clock())
            self._tell_warnings(cache)

    def age(self, kept: KeptAnswer) -> float:
        """Seconds since an answer was made."""
        return max(0.0, self._clock() - kept.made_at)

    def close(self) -> None:
        """Close the store, if it was opened."""
        if self._opened is not None:
            self._opened.close()

    def _open(self) -> AnswerCache:
        from engine.dispatch.cache import AnswerCache  # a run is on its way before a database is loaded

        self._opened = AnswerCache(self._folder)
        return self._opened

    def _tell_warnings(self, cache: AnswerCache) -> None:
        while cache.warnings:
            self._stream.emit(Logged, message=cache.warnings.pop(0), source="mco", level="warning")


def _keepable(step: Step) -> bool:
    # A writer's answer is worth nothing without the files it wrote.
    return step.cache is not False and not step.writes
