"""The numbers of budget scopes, with workers that may send any."""

from __future__ import annotations

from typing import Any

import pytest

from engine.dispatch.budget import RUN, Budget
from engine.primitives.scopes import DEPTH, SCOPES_A_WORKER, ScopeNumbers
from engine.sandbox.host import Spent
from engine.step import Usage


def opening(number: int, parent: int = 0) -> dict[str, Any]:
    return {"open": number, "parent": parent, "tokens": 50, "cost": None}


def test_two_workers_may_use_the_same_numbers():
    budget = Budget()
    first, second = (ScopeNumbers(budget, base * SCOPES_A_WORKER, RUN) for base in (1, 2))
    for scopes in (first, second):
        scopes.note(opening(1))
    budget.spend(first.ours(1), Usage(input_tokens=30))
    assert first.spent(1) == {0: Spent(tokens=30), 1: Spent(tokens=30)}
    assert second.spent(1) == {0: Spent(tokens=30), 1: Spent(tokens=0)}


def test_however_deep_the_blocks_of_a_worker_a_step_looks_at_few_of_them():
    scopes = ScopeNumbers(Budget(), 0, RUN)
    for number in range(1, 500):
        scopes.note(opening(number, parent=number - 1))
    assert len(scopes.spent(DEPTH)) == DEPTH + 1
    assert max(len(scopes.spent(number)) for number in range(500)) == DEPTH + 1


@pytest.mark.parametrize(
    "note", [opening(1), opening(1, parent=7), opening(0), opening(SCOPES_A_WORKER), {"close": 9}]
)
def test_a_note_that_makes_no_sense_changes_nothing(note: dict[str, Any]):
    scopes = ScopeNumbers(Budget(), 0, RUN)
    scopes.note({"open": 1, "parent": 0, "tokens": 100, "cost": None})
    scopes.note(note)
    assert set(scopes.spent(1)) == {0, 1}
    assert scopes.ours(note.get("open", 9)) in (RUN, 1)
