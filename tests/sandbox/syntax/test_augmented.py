"""Wall 1, augmented assignment: of names and of items, whose parts are evaluated once."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
ORDER = """
d = {'n': 1}
seen = []
def note(name, value):
    seen.append(name)
    return value
note('d', d)[note('k', 'n')] += note('v', 2)
return [d, seen]
"""
ALL_SIGNS = """
n = 7
n -= 1
n *= 4
n //= 5
n **= 3
n %= 50
n <<= 2
n >>= 1
n |= 1
n ^= 2
n &= 31
n /= 2
return n
"""
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "_getattr_ += 1",
        "_x **= 2",
    ],
)
def test_no_name_of_the_sandbox_is_changed(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("args.x += 1", "attributes cannot be set", 1),
        ("args['a'].b += 1", "attributes cannot be set", 1),
        ("args[open] += 1", "open is not available", 1),
        ("args['a'] += args.__class__", "attributes that begin with an underscore", 1),
    ],
)
def test_every_part_is_checked(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (
            ORDER,
            [{"n": 3}, ["d", "k", "v"]],
        ),
        ("d = {'t': ''}\nd['t'] += await agent('a')\nreturn d", {"t": "echo:a"}),
        ("x = [1, 2, 3]\ny = x\nx += [4]\nx[1:3] += [5]\nreturn [x is y, x]", [True, [1, 2, 3, 5, 4]]),
        (
            ALL_SIGNS,
            15.5,
        ),
        ("d = {}\ntry:\n    d['missing'] += 1\nexcept KeyError:\n    return 'missing'", "missing"),
        (
            "try:\n    ('a',)[0] += 'b'\nexcept TypeError as error:\n    return str(error)[:12]",
            "the items of",
        ),
    ],
)
async def test_augmented_assignment_is_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
