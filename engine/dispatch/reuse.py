"""Which steps are found again: the rules over the answer store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.dispatch.cache import AnswerCache, KeptAnswer
from engine.record.events import Logged
from engine.record.stream import Stream
from engine.step import Answer, Key, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """The answers of earlier runs for one run. None older than `expire` seconds is found, with `fresh` none at all.

    What is wrong with the store is told on the stream; it costs the reuse, never the run.
    """

    cache: AnswerCache
    stream: Stream
    run_id: str
    clock: Callable[[], float]
    expire: float
    fresh: bool

    def find(self, step: Step, key: Key) -> KeptAnswer | None:
        """The answer that this step needs not be asked for."""
        if self.fresh or not _keepable(step):
            return None
        kept = self.cache.get(key.digest)
        self._tell_warnings()
        allowed = self.expire if step.cache is True else min(step.cache, self.expire)
        if kept is None or self.age(kept) > allowed:
            return None
        return kept

    def keep(self, step: Step, key: Key, answer: Answer) -> None:
        """Remember an answer."""
        if _keepable(step):
            self.cache.put(key, answer, run=self.run_id, made_at=self.clock())
            self._tell_warnings()

    def age(self, kept: KeptAnswer) -> float:
        """Seconds since an answer was made."""
        return max(0.0, self.clock() - kept.made_at)

    def _tell_warnings(self) -> None:
        while self.cache.warnings:
            self.stream.emit(Logged, message=self.cache.warnings.pop(0), source="mco", level="warning")


def _keepable(step: Step) -> bool:
    # A writer's answer is worth nothing without the files it wrote.
    return step.cache is not False and not step.writes
