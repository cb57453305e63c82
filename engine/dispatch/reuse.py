"""Which steps are found again: the rules over the answer store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from engine.record.events import Logged
from engine.record.long_text import is_long
from engine.record.steps import Miss
from engine.record.stream import Stream
from engine.step import NO_USAGE, Answer, Key, Step
from engine.store.group_put import Fresh, GroupPut
from engine.store.group_sync import GroupSync

if TYPE_CHECKING:
    from engine.store.cache import AnswerCache
    from engine.store.kept import KeptAnswer

DEAR_SECONDS = 0.1
"""An answer that took so long, that cost something or that holds somebody's work is on the disk itself before the
script sees it, which costs some milliseconds; any other is safe from everything but a power failure."""


class Reuse:
    """The answers of earlier runs for one run. With `fresh` none is found, with `read_only` none is kept.

    None older than `expire` seconds is found, save those of its `lineage`: the ids of the runs that it goes on from.
    What a step wrote in place is found only in those.

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
        read_only: bool = False,
        lineage: frozenset[str] = frozenset(),
    ) -> None:
        self._folder = folder
        self._stream = stream
        self._run_id = run_id
        self._clock = clock
        self._expire = expire
        self._fresh = fresh
        self._read_only = read_only
        self._lineage = lineage
        self._opened: AnswerCache | None = None
        self._together = GroupPut(self._put)
        self._synced = GroupSync(self._sync)

    def find(self, step: Step, key: Key) -> KeptAnswer | Miss:
        """The answer that this step needs not be asked for, or why it has to be."""
        if self._fresh:
            return "forced"
        if step.cache is False or (step.writes_in_place and not self._lineage):
            return "uncached" if step.cache is False else "writes"
        if self._read_only and not self._folder.exists():
            return "new"  # looking must not make a store
        cache = self._opened or self._open()
        kept = cache.get(key.digest)
        self._tell_warnings(cache)
        if kept is None or (step.writes_in_place and kept.run not in self._lineage):
            return "new" if kept is None else "writes"  # the files that it wrote may long be others
        return "expired" if self.age(kept) > self._allowed_age(step, kept) else kept

    def _allowed_age(self, step: Step, kept: KeptAnswer) -> float:
        most = inf if kept.run in self._lineage else self._expire  # a run can be taken up again however late
        return most if step.cache is True else min(step.cache, most)

    async def keep(self, step: Step, key: Key, answer: Answer, *, alone: bool = False) -> None:
        """Remember an answer."""
        if step.cache is False or self._read_only or not (answer.complete or step.writes_in_place):
            return
        fresh = Fresh(key, answer, self._clock())
        if alone or is_long(answer.value):
            self._put([fresh])
        else:
            await self._together.done(fresh)
        if _is_dear(answer):
            await self._synced.done()
        self._tell_warnings(self._opened or self._open())

    def _put(self, fresh: Sequence[Fresh]) -> None:
        cache = self._opened or self._open()
        cache.put_all(fresh, self._run_id)

    def age(self, kept: KeptAnswer) -> float:
        """Seconds since an answer was made."""
        return max(0.0, self._clock() - kept.made_at)

    def close(self) -> None:
        """Close the store, if it was opened."""
        if self._opened is not None:
            self._opened.close()

    def _open(self) -> AnswerCache:
        from engine.store.cache import AnswerCache  # a run is on its way before a database is loaded

        self._opened = AnswerCache(self._folder)
        return self._opened

    def _sync(self) -> None:
        """The answers, and the record without which nobody could take the run up again."""
        if self._opened is not None:
            self._opened.sync()
        self._stream.sync()

    def _tell_warnings(self, cache: AnswerCache) -> None:
        while cache.warnings:
            self._stream.emit(Logged, message=cache.warnings.pop(0), source="mco", level="warning")


def _is_dear(answer: Answer) -> bool:
    return answer.seconds >= DEAR_SECONDS or answer.usage != NO_USAGE or bool(answer.patches)
