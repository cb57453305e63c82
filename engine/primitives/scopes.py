"""The numbers of budget scopes: each worker counts its own, a run has several workers."""

from __future__ import annotations

from typing import Any

from engine.dispatch.budget import Budget
from engine.sandbox.host import Spent

SCOPES_A_WORKER = 100_000
DEPTH = 64
"""How many blocks one inside another are counted; what lies deeper counts as the outermost."""


class ScopeNumbers:
    """Numbers a worker's budget scopes so that they cannot meet those of another worker of the same run."""

    def __init__(self, budget: Budget, base: int, root: int) -> None:
        self._budget = budget
        self._base = base
        self._root = root

    def ours(self, number: int) -> int:
        """The run's number for a worker's scope; one that was never opened counts as the worker's outermost."""
        ours = self._base + number
        return ours if number > 0 and self._budget.known(ours) else self._root

    def spent(self, number: int) -> dict[int, Spent]:
        """What was spent in a worker's scope and in those around it, by the worker's own numbers; 0 is the run."""
        run = self._budget.run
        news = {0: Spent(tokens=run.spent_tokens, cost=run.spent_cost)}
        ours = self.ours(number)
        if ours != self._root:
            news |= {
                ours - self._base: Spent(tokens=scope.spent_tokens, cost=scope.spent_cost)
                for ours, scope in self._budget.chain(ours)
                if self._base < ours < self._base + SCOPES_A_WORKER
            }
        return news

    def note(self, arguments: dict[str, Any]) -> None:
        """Open the scope that a budget note names; one that is open, too deep or misnumbered is passed over."""
        number = arguments.get("open", 0)  # a note that closes one opens none
        ours = self._base + number
        if not 0 < number < SCOPES_A_WORKER or self._budget.known(ours):
            return
        parent = self.ours(arguments["parent"])
        if sum(1 for _ in self._budget.chain(parent)) <= DEPTH:
            self._budget.open(ours, parent, arguments["tokens"], arguments["cost"])
