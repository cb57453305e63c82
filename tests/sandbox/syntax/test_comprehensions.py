"""Wall 1, comprehensions: scopes and targets."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "[_x for _x in []]",
        "{_x for _x in []}",
        "{1: _x for a, _x in []}",
        "list(1 for _x in [])",
        "[(_x := 1) for a in []]",
        "[a for a in [] if (_getattr_ := a)]",
        "[a async for _x in args]",
    ],
)
def test_comprehensions_bind_no_name_of_the_sandbox(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("[a.__class__ for a in []]", "attributes that begin with an underscore", 1),
        ("[a for a in open('x')]", "open is not available", 1),
        ("[a for a in [] if open('x')]", "open is not available", 1),
    ],
)
def test_every_part_of_a_comprehension_is_checked(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("return [a + b for a, b in [(1, 2)] if a for c in 'x']", [3]),
        ("a = 1\nb = [a for a in [2, 3]]\nreturn [a, b]", [1, [2, 3]]),
        ("return [x := 1, [x := x + i for i in range(3)], x]", [1, [1, 2, 4], 4]),
        ("return {k: [v for v in range(k)] for k in [1]} == {1: [0]}", True),
        ("return sorted({len(w) for w in ['a', 'bb', 'c']})", [1, 2]),
    ],
)
async def test_comprehensions_are_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
