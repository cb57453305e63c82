"""Wall 1, operators: bounded where they could blow up."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("return args.__class__ + 1", "attributes that begin with an underscore", 1),
        ("return 1 if open else 2", "open is not available", 1),
        ("return not _x", "names that begin with an underscore", 1),
        ("return args[_x:1]", "names that begin with an underscore", 1),
        ("return 1 < open < 2", "open is not available", 1),
        ("return [*open]", "open is not available", 1),
        ("return {**open}", "open is not available", 1),
    ],
)
def test_every_operand_is_checked(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    "expression",
    [
        "'a' * 10**8",
        "10**8 * [1]",
        "2 ** 10**9",
        "pow(2, 10**9)",
        "1 << 10**9",
        "(1 << 60000) * (1 << 60000)",
        "reduce(lambda a, b: a * b, [10**8, (1,)])",
    ],
)
async def test_what_would_blow_up_is_an_error_not_a_death(expression: str) -> None:
    lines = (
        f"from functools import reduce\ntry:\n    {expression}\nexcept OverflowError:\n    return 'too much'"
    )
    assert await value_of(lines) == "too much"


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (
            "return [7 // 2, 7 % 4, 2 ** 5, 1 << 4, 6 >> 1, 5 & 3, 5 | 3, 5 ^ 3, -3, +3, ~3]",
            [3, 3, 32, 16, 3, 1, 7, 6, -3, 3, -4],
        ),
        (
            "return [1 < 2 <= 2, 'a' in 'ab', 3 not in [1], None is None, 1 and 0, 0 or 'x']",
            [True, True, True, True, 0, "x"],
        ),
        (
            "return ['ab' * 2, [0] * 3, 2 * 'x', {'a': 1} | {'b': 2}, [1, 2, 3][::-1]]",
            ["abab", [0, 0, 0], "xx", {"a": 1, "b": 2}, [3, 2, 1]],
        ),
    ],
)
async def test_operators_are_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
