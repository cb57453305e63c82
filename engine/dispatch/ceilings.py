"""How far a run may go: its steps and its budget. Each ceiling that is reached is told once."""

from __future__ import annotations

from typing import Any

from engine.dispatch.budget import Budget, BudgetCeiling
from engine.errors import CeilingReached
from engine.record.events import BudgetReached
from engine.record.stream import Stream

MOST_REFUSED = 10_000
"""So often a script may ask beyond its ceiling, as one `parallel` over many items does."""


class Ceilings:
    """The ceilings of one run; `last` is the one that was reached last."""

    def __init__(self, max_steps: int, budget: Budget, stream: Stream) -> None:
        self._max_steps = max_steps
        self._budget = budget
        self._stream = stream
        self._refused = 0
        self._told: set[tuple[str, str, float]] = set()
        self.last: CeilingReached | None = None

    def check(self, steps: int, scope: int) -> CeilingReached | None:
        """The ceiling that keeps a step out when there are so many already, None when it may come in.

        A script that asks on and on all the same is ended: CeilingReached.
        """
        try:
            self._check(steps, scope)
        except CeilingReached as ceiling:
            self.last = ceiling
            self._refused += 1
            if self._refused > MOST_REFUSED:
                raise
            return ceiling
        return None

    def has_room(self, steps: int) -> bool:
        """Whether one more step may be counted."""
        return steps < self._max_steps

    def _check(self, steps: int, scope: int) -> None:
        if not self.has_room(steps):
            self._tell(scope="run", unit="steps", limit=self._max_steps, spent=steps)
            raise CeilingReached(
                "limit",
                f"the run has made its {self._max_steps:,} steps",
                hint="set max_steps higher in your settings if the script really needs more",
            )
        try:
            self._budget.check(scope)
        except BudgetCeiling as ceiling:
            where = "run" if ceiling.whole else "block"
            self._tell(scope=where, unit=ceiling.unit, limit=ceiling.limit, spent=ceiling.spent)
            raise

    def _tell(self, **facts: Any) -> None:
        # Told once: a script that goes on asking would fill the journal with it.
        identity = (facts["scope"], facts["unit"], facts["limit"])
        if identity not in self._told:
            self._told.add(identity)
            self._stream.emit(BudgetReached, **facts)
