"""Wall 1, match: literals and builtin types; captures are plain text in the tree."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
EVERYTHING = """
found = []
for value in [1, 'x', None, -2, [], {}, 2.5, True]:
    match value:
        case True: found.append('true')
        case int(n) if n < 0: found.append('negative')
        case int() | float(): found.append('number')
        case str(s): found.append(s)
        case None: found.append('none')
        case list() | dict(): found.append('many')
return found
"""
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("match args:\n    case _x: pass", "names that begin", 2),
        ("match args:\n    case [1] as _x: pass", "names that begin", 2),
        ("match args:\n    case [*_x]: pass", "names that begin", 2),
        ("match args:\n    case {**_x}: pass", "names that begin", 2),
        ("match args:\n    case {'a': [1, str(_x)]}: pass", "names that begin", 2),
        ("match args:\n    case 1 | [_x]: pass", "names that begin", 2),
    ],
)
def test_captures_take_no_name_of_the_sandbox(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("match args:\n    case object(__globals__=g): pass", "only builtin types", 2),
        ("match args:\n    case Exception(): pass", "only builtin types", 2),
        ("match args:\n    case args.kind(): pass", "only builtin types", 2),
        ("match args:\n    case str(upper=g): pass", "attributes cannot be matched", 2),
        ("match args:\n    case int(a, b): pass", "attributes cannot be matched", 2),
        ("match args:\n    case args.x: pass", "only literals", 2),
        ("match args:\n    case {args.x: 1}: pass", "only literals", 2),
        ("match args:\n    case 1 + 2j: pass", "complex", 2),
        ("match args:\n    case x if x.__class__: pass", "attributes that begin", 2),
        ("match open:\n    case 1: pass", "open is not available", 1),
    ],
)
def test_match_reads_no_attributes(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    "binding", ["str = args", "def str(): pass", "import json as str", "for str in []: pass"]
)
def test_a_builtin_type_that_the_script_rebinds_cannot_be_matched(binding: str) -> None:
    assert_refused(f"{binding}\nmatch args:\n    case str(): pass", "only builtin types", 3)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (
            "match {'a': [1, 2, 3], 'b': 4}:\n    case {'a': [x, *rest], **more}:\n        return [x, rest, more]",
            [1, [2, 3], {"b": 4}],
        ),
        (
            EVERYTHING,
            ["number", "x", "none", "negative", "many", "many", "number", "true"],
        ),
        ("match (1, (2, 3)):\n    case (a, (2, b) as c):\n        return [a, b, c]", [1, 3, [2, 3]]),
    ],
)
async def test_match_is_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
