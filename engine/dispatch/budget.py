"""What a run may spend: one budget for the run, smaller ones inside for the blocks that a script opens.

Steps that are already running when a ceiling is reached end and are paid for; no further one starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.errors import CeilingReached, MCOError, StepFailed
from engine.step import NO_USAGE, Usage

RUN = 0
"""The scope of the whole run."""


@dataclass(slots=True)
class Scope:
    """A ceiling and what was spent under it: tokens and US dollars; None is no ceiling, or that nobody said."""

    parent: int | None
    tokens: int | None
    cost: float | None
    spent_tokens: int | None = 0
    spent_cost: float | None = None


class Budget:
    """The scopes of one run. A step counts against its scope and all that enclose it."""

    def __init__(self, tokens: int | None = None, cost: float | None = None) -> None:
        self._scopes = {RUN: Scope(None, tokens, cost)}

    @property
    def run(self) -> Scope:
        """The scope of the whole run."""
        return self._scopes[RUN]

    def open(self, number: int, parent: int, tokens: int | None, cost: float | None) -> None:
        """Open a scope inside another. ValueError when the number is taken or the parent unknown."""
        if number in self._scopes or parent not in self._scopes:
            raise ValueError(f"budget scope {number} cannot be opened inside {parent}")
        self._scopes[number] = Scope(parent, tokens, cost)

    def known(self, number: int) -> bool:
        """Whether a scope of that number was opened."""
        return number in self._scopes

    def check(self, number: int) -> None:
        """CeilingReached when this scope, or one around it, is spent."""
        # Asked for every step: two generators, as `chain` makes them, would take longer than all the rest of it.
        current: int | None = number
        while current is not None:
            scope = self._scopes[current]
            if (ceiling := _reached(scope)) is not None:
                raise ceiling
            current = scope.parent

    def spend(self, number: int, usage: Usage) -> None:
        """Count what an answer cost; one of which nobody says it makes 0 unknown."""
        for scope in self._enclosing(number):
            if usage.tokens is not None:
                scope.spent_tokens = (scope.spent_tokens or 0) + usage.tokens
            elif not scope.spent_tokens:
                scope.spent_tokens = None
            if usage.cost is not None:
                scope.spent_cost = (scope.spent_cost or 0.0) + usage.cost

    def chain(self, number: int) -> Iterator[tuple[int, Scope]]:
        """A scope and all that enclose it, by number, the innermost first."""
        current: int | None = number
        while current is not None:
            scope = self._scopes[current]
            yield current, scope
            current = scope.parent

    def _enclosing(self, number: int) -> Iterator[Scope]:
        return (scope for _, scope in self.chain(number))


def spent_by(failure: MCOError) -> Usage:
    """What a step that failed has cost, as far as its providers said."""
    usage = failure.usage if isinstance(failure, StepFailed) else None
    return usage or NO_USAGE


def _reached(scope: Scope) -> BudgetCeiling | None:
    if scope.tokens is not None and (scope.spent_tokens or 0) >= scope.tokens:
        return BudgetCeiling(scope, "tokens", scope.tokens, scope.spent_tokens or 0)
    if scope.cost is not None and (scope.spent_cost or 0.0) >= scope.cost:
        return BudgetCeiling(scope, "cost", scope.cost, scope.spent_cost or 0.0)
    return None


class BudgetCeiling(CeilingReached):
    """A budget is spent: `limit` and `spent` in `unit`."""

    def __init__(self, scope: Scope, unit: Literal["tokens", "cost"], limit: float, spent: float) -> None:
        whole = scope.parent is None
        amounts = f"{spent:,} of {limit:,} tokens" if unit == "tokens" else f"${spent:.2f} of ${limit:.2f}"
        flag = "--budget" if unit == "tokens" else "--max-cost"
        super().__init__(
            "budget",
            f"{'the run' if whole else 'this block'} has spent {amounts}",
            hint=f"raise it with {flag}; finished steps are reused" if whole else None,
        )
        self.whole = whole
        self.unit: Literal["tokens", "cost"] = unit
        self.limit = limit
        self.spent = spent
