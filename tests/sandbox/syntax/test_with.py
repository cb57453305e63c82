"""Wall 1, with: of all that a script holds only a budget can be opened."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "with args as _x: pass",
        "with args as (a, _x): pass",
        "with budget(1) as a, budget(2) as _write_: pass",
    ],
)
def test_with_binds_no_name_of_the_sandbox(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize("value", ["json", "main", "[]", "agent('x')", "budget"])
async def test_nothing_else_can_be_opened(value: str) -> None:
    lines = f"import json\ntry:\n    with {value}:\n        return 0\nexcept TypeError:\n    return 'refused'"
    assert await value_of(lines) == "refused"


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("with budget(500) as small:\n    return [small.total, budget.total]", [500, 500]),
    ],
)
async def test_a_budget_can_be_opened(lines: str, value: object) -> None:
    assert await value_of(lines) == value
