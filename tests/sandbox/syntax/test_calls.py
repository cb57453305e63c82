"""Wall 1, calls: keywords, and arguments that are only known when they run."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "return dict(_x=1)",
        "return dict(__class__=1)",
        "log('a', _level=1)",
        "return dict(**{'a': 1}, _x=2)",
    ],
)
def test_keywords_with_an_underscore_are_refused(line: str) -> None:
    assert_refused(line, UNDERSCORE)


async def test_keywords_that_are_made_up_at_run_time_are_refused_then() -> None:
    lines = "try:\n    dict(**{'__class__': 1})\nexcept TypeError as error:\n    return str(error)"
    assert "begin with an underscore" in await value_of(lines)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (
            "def f(a, *b, c=0, **d):\n    return [a, b, c, d]\nreturn f(1, *[2, 3], c=4, **{'e': 5})",
            [1, [2, 3], 4, {"e": 5}],
        ),
        ("return max(*[1, 3], 2)", 3),
        ("return (lambda *a, **k: [a, k])(*'ab', **{}, x=1)", [["a", "b"], {"x": 1}]),
        (
            "seen = []\ndef f(n):\n    seen.append(n)\n    return n\ndict(**{str(f(1)): f(2)}, a=f(3))\nreturn seen",
            [1, 2, 3],
        ),
    ],
)
async def test_calls_take_what_they_take_in_python(lines: str, value: object) -> None:
    assert await value_of(lines) == value
