"""Wall 1, async: by the same guards as the rest."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
PAIRS = """
async def pairs():
    for i in range(3):
        yield (i, [i * i, 1])
return [a + b async for a, (b, _) in pairs() if a]
"""
FIRST_PAIR = """
async def pairs():
    yield 1, (2, 3)
async for a, (b, *c) in pairs():
    return [a, b, c]
else:
    return 0
"""
AT_LAST = """
async def f():
    try:
        return await agent('a')
    finally:
        log('done')
return await f()
"""
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("async with args: pass", "async with is not available", 1),
        ("await args.__class__", "attributes that begin with an underscore", 1),
        ("async def f():\n    open('x')", "open is not available", 2),
        ("return [a.__class__ async for a in args]", "attributes that begin with an underscore", 1),
        ("async for a.x in args: pass", "attributes cannot be set", 1),
    ],
)
def test_what_is_refused_elsewhere_is_refused_in_async_too(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


def test_an_asynchronous_target_is_no_name_of_the_sandbox() -> None:
    assert_refused("async for a, _getattr_ in args: pass", UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (
            PAIRS,
            [2, 6],
        ),
        (
            FIRST_PAIR,
            [1, 2, [3]],
        ),
        (
            "async def f(x):\n    return x\nreturn [await f(i) for i in range(2)] + [await agent('x')]",
            [0, 1, "echo:x"],
        ),
        (
            "try:\n    await [1]\nexcept TypeError as error:\n    return str(error)[:26]",
            "a list cannot be awaited; ",
        ),
        (
            AT_LAST,
            "echo:a",
        ),
    ],
)
async def test_async_is_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
