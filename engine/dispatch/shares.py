"""What each of several providers adds to a step's answer, kept by itself: nobody is paid twice since another failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.providers.base import Progress
from engine.record.steps import Miss
from engine.step import Answer, Key, ProviderChoice, Step, Usage, share_of

if TYPE_CHECKING:
    from engine.dispatch.attempts import Asking
    from engine.store.kept import KeptAnswer


class Store(Protocol):
    """Where answers of earlier runs are found, by the rules of this run."""

    def find(self, step: Step, key: Key) -> KeptAnswer | Miss:
        """The answer that need not be asked for, or why it has to be."""
        ...

    async def keep(self, step: Step, key: Key, answer: Answer) -> None:
        """Remember an answer, where that is allowed."""
        ...


class Shares:
    """The answers of single providers to the steps that went to several."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, asking: Asking, choice: ProviderChoice) -> Answer | None:
        """What this provider said before, which costs nothing now; None when it has to be asked."""
        if asking.key is None or asking.step.writes:  # what it wrote is the work of all of them
            return None
        kept = self._store.find(asking.step, share_of(asking.key, choice))
        if isinstance(kept, str):
            return None
        asking.watcher.progressed(choice.name, Progress("note", f"its answer is kept, from run {kept.run}"))
        return kept.answer()._replace(usage=Usage())

    async def keep(self, asking: Asking, choice: ProviderChoice, answer: Answer) -> None:
        """Remember what this provider said."""
        if asking.key is not None and not asking.step.writes:
            await self._store.keep(asking.step, share_of(asking.key, choice), answer)
