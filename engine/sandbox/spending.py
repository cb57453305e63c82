"""What a script may spend, and what it spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Spent(NamedTuple):
    """What was spent in one budget so far; None means that nobody said. `cost` is in US dollars."""

    tokens: int | None = 0
    cost: float | None = None


class BudgetTotals(NamedTuple):
    """The ceilings of the whole run; None means that there is none."""

    tokens: int | None = None
    cost: float | None = None


Spending = Mapping[int, Spent]
"""What was spent by the id of the budget, 0 the run's: those that a reply has news of."""


def as_json(spending: Spending) -> list[list[Any]]:
    """As it is sent to a worker."""
    return [[scope, spent.tokens, spent.cost] for scope, spent in spending.items()]
