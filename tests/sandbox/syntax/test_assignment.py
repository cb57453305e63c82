"""Wall 1, assignment: names, items, unpacking, and the walrus."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "_x = 1",
        "a = _x = 1",
        "a, *_x = [1]",
        "[a, (b, _x)] = args",
        "(_x := 1)",
        "return f'{(_getattr_ := 1)}'",
        "args[(_x := 1)] = 2",
    ],
)
def test_no_name_of_the_sandbox_is_assigned(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize("value", ["'text'", "(1, 2)", "range(3)", "{1}", "main", "json", "budget"])
async def test_only_containers_take_items(value: str) -> None:
    lines = f"import json\ntry:\n    ({value})[0] = 1\nexcept TypeError as error:\n    return str(error)"
    assert "cannot be set or deleted" in await value_of(lines)


@pytest.mark.parametrize("value", ["1", "{1}", "main", "json", "str", "agent('x')", "iter([1])"])
async def test_only_containers_have_items(value: str) -> None:
    lines = f"import json\ntry:\n    ({value})[0]\nexcept TypeError as error:\n    return str(error)"
    assert "has no items" in await value_of(lines)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("a, (b, *c), d = 1, (2, 3, 4), 5\nreturn [a, b, c, d]", [1, 2, [3, 4], 5]),
        ("a, b = c = [1, 2]\nreturn [a, b, c]", [1, 2, [1, 2]]),
        ("d = {}\nd['a'], d['b'] = 1, 2\ndel d['a']\nreturn d", {"b": 2}),
        ("x = [1, 2, 3]\nx[1:] = [9]\ndel x[:1]\nreturn x", [9]),
        ("if (n := 3) > 2:\n    return n", 3),
    ],
)
async def test_assignment_is_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
