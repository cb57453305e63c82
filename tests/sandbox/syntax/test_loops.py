"""Wall 1, loops: what they bind, and what they go over."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
TOTAL = """
total = 0
for a, (b, *c) in [(1, (2, 3, 4))]:
    total += a + b + sum(c)
else:
    total += 100
return total
"""
BREAK = """
n = 0
while n < 10:
    n += 1
    if n == 2:
        continue
    if n == 4:
        break
return n
"""
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "for _x in []: pass",
        "for a, _x in []: pass",
        "for a, *_x in []: pass",
        "for (a, [_x]) in []: pass",
        "async for _x in args: pass",
        "while (_x := 1): pass",
    ],
)
def test_loops_bind_no_name_of_the_sandbox(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("for a in []:\n    pass\nelse:\n    open('x')", "open is not available", 4),
        ("while True:\n    if args: break\nelse:\n    _x = 1", "names that begin with an underscore", 4),
    ],
)
def test_what_stands_behind_else_is_checked(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (
            TOTAL,
            110,
        ),
        (
            BREAK,
            4,
        ),
        ("return [k + str(v) for k, v in sorted({'b': 1, 'a': 2}.items())]", ["a2", "b1"]),
    ],
)
async def test_loops_are_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
