"""`budget` as a script sees it: totals and what was spent, known from the host's last reply."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


class Scope:
    """One budget: the run's (id 0) or one opened by `with`. `tokens` and `cost` are ceilings; None means none."""

    __slots__ = ("cost", "id", "parent", "spent_cost", "spent_tokens", "tokens")

    def __init__(self, number: int, parent: int, tokens: int | None, cost: float | None) -> None:
        self.id = number
        self.parent = parent
        self.tokens = tokens
        self.cost = cost
        self.spent_tokens: int | None = 0
        self.spent_cost: float | None = None


class Ledger:
    """All budgets of a run. `note` tells the host what opens and closes; `switch` moves the running task to a scope."""

    def __init__(
        self,
        tokens: int | None,
        cost: float | None,
        *,
        current: Callable[[], int],
        switch: Callable[[int], None],
        note: Callable[[dict[str, Any]], None],
    ) -> None:
        self._scopes = {0: Scope(0, 0, tokens, cost)}
        self._last = 0
        self._current = current
        self._switch = switch
        self._note = note

    def update(self, spent: list[Any]) -> None:
        """What the host says was spent: `[scope, tokens, cost]` for each scope that a reply concerns."""
        for number, tokens, cost in spent:
            scope = self._scopes.get(number)
            if scope is not None:
                scope.spent_tokens, scope.spent_cost = tokens, cost

    def scope(self, number: int | None = None) -> Scope:
        """A scope by its id, or the one of the running task."""
        return self._scopes[self._current() if number is None else number]

    def open(self, tokens: int | None, cost: float | None) -> int:
        """A smaller budget inside the running task's; returns its id."""
        self._last += 1
        parent = self._current()
        self._scopes[self._last] = Scope(self._last, parent, tokens, cost)
        self._note({"open": self._last, "parent": parent, "tokens": tokens, "cost": cost})
        self._switch(self._last)
        return self._last

    def close(self, number: int) -> None:
        """The end of a `with` block: the running task goes back to the budget around it."""
        self._note({"close": number})
        if self._current() == number:
            self._switch(self._scopes[number].parent)


class CostBudget:
    """`budget.cost`: money, in US dollars; None where nobody knows."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def total(self) -> float | None:
        """The ceiling, None when there is none."""
        return self._scope.cost

    def spent(self) -> float | None:
        """What was spent, None when nobody said."""
        return self._scope.spent_cost

    def remaining(self) -> float | None:
        """What is left, None when there is no ceiling."""
        if self._scope.cost is None:
            return None
        return max(0.0, self._scope.cost - (self._scope.spent_cost or 0.0))


class Budget:
    """`budget`: the one that the running task spends from, in tokens; called, it opens a smaller one."""

    __slots__ = ("_ledger",)

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def _scope(self) -> Scope:
        return self._ledger.scope()

    @property
    def total(self) -> int | None:
        """The ceiling, None when there is none."""
        return self._scope().tokens

    @property
    def cost(self) -> CostBudget:
        """The same in money."""
        return CostBudget(self._scope())

    def spent(self) -> int | None:
        """What was spent, None when no provider said."""
        return self._scope().spent_tokens

    def remaining(self) -> float:
        """What is left; infinity when there is no ceiling."""
        scope = self._scope()
        if scope.tokens is None:
            return math.inf
        return max(0, scope.tokens - (scope.spent_tokens or 0))

    def __call__(self, tokens: int | None = None, *, cost: float | None = None) -> BudgetBlock:
        """`with budget(20_000):` opens a smaller budget for the block and what it starts."""
        if tokens is None and cost is None:
            raise TypeError("budget() needs tokens or cost, as in: with budget(20_000):")
        _check_ceiling("tokens", tokens, (int,))
        _check_ceiling("cost", cost, (int, float))
        return BudgetBlock(self._ledger, tokens, cost)

    def __repr__(self) -> str:
        return "<budget>"


class BudgetBlock(Budget):
    """One smaller budget, open while its `with` block runs."""

    __slots__ = ("_cost", "_id", "_tokens")

    def __init__(self, ledger: Ledger, tokens: int | None, cost: float | None) -> None:
        super().__init__(ledger)
        self._tokens = tokens
        self._cost = cost
        self._id: int | None = None

    def _scope(self) -> Scope:
        return Scope(0, 0, self._tokens, self._cost) if self._id is None else self._ledger.scope(self._id)

    def __enter__(self) -> BudgetBlock:
        if self._id is not None:
            raise RuntimeError("this budget was opened before; call budget(…) again")
        self._id = self._ledger.open(self._tokens, self._cost)
        return self

    def __exit__(self, *_: object) -> None:
        if self._id is not None:
            self._ledger.close(self._id)


def _check_ceiling(name: str, value: Any, kinds: tuple[type, ...]) -> None:
    if value is None:
        return
    if type(value) not in kinds:
        raise TypeError(f"budget(): {name} must be a number")
    if not 0 <= value < 2**53:
        raise ValueError(f"budget(): {name} must be 0 or more, and finite")
