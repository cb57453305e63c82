"""A step that two processes want at once is asked by one of them; the other waits and finds the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.dispatch.needs import AnswerStore
from engine.record.steps import Miss
from engine.step import Key, Step
from engine.store.claims import Claims

if TYPE_CHECKING:
    from engine.store.kept import KeptAnswer


class Sharing:
    """One run's part. `claims` is None where nobody else can want its steps; `tell` hears of a wait."""

    def __init__(self, store: AnswerStore, claims: Claims | None, tell: Callable[[Step], None]) -> None:
        self._store = store
        self._claims = claims
        self._tell = tell
        self._elsewhere: set[str] = set()

    def find(self, step: Step, key: Key) -> KeptAnswer | Miss:
        """The step's answer or why there is none. Who gets none and need not wait has the claim to make it."""
        if self._claims is None or step.cache is False or step.writes_in_place:
            return self._store.find(step, key)
        # Claimed before it is looked for: an answer that somebody made in between would be asked for again.
        claimed = self._claims.take(key.digest)
        found = self._store.find(step, key)
        if not isinstance(found, str):
            if claimed:
                self._claims.let_go(key.digest)
        elif not claimed and found != "forced":  # who wants a fresh answer would not take the other's
            self._elsewhere.add(key.digest)
        return found

    async def others(self, step: Step, key: Key) -> KeptAnswer | None:
        """The answer that another process was about to make; None when this one has to ask."""
        if self._claims is None or key.digest not in self._elsewhere:
            return None
        self._tell(step)
        await self._claims.wait(key.digest)
        self._elsewhere.discard(key.digest)
        found = self._store.find(step, key)
        return None if isinstance(found, str) else found

    def let_go(self, key: Key) -> None:
        """The step has ended: whoever waits for it may look."""
        if self._claims is not None:
            self._claims.let_go(key.digest)
