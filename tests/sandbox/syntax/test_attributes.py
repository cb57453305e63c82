"""Wall 1, attributes: read by an allow-list, never written, never with an underscore."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("return args.__class__", "attributes that begin with an underscore", 1),
        ("return args._private", "attributes that begin with an underscore", 1),
        ("return args.__ｃlass__", "attributes that begin with an underscore", 1),
        ("return args._", "attributes that begin with an underscore", 1),
        ("args.x = 1", "attributes cannot be set", 1),
        ("args.x += 1", "attributes cannot be set", 1),
        ("args.x: int = 1", "attributes cannot be set", 1),
        ("del args.x", "attributes cannot be set or deleted", 1),
        ("for args.x in []: pass", "attributes cannot be set", 1),
        ("with budget(1) as args.x: pass", "attributes cannot be set", 1),
        ("a, args.x = 1, 2", "attributes cannot be set", 1),
        ("[0 for args.x in []]", "attributes cannot be set", 1),
        ("import json\njson.loads = print", "attributes cannot be set", 2),
    ],
)
def test_what_is_not_a_plain_reading_is_refused(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    "expression",
    [
        "agent('x').cr_frame",
        "(i for i in []).gi_frame",
        "main.func",
        "str.mro",
        "ValueError(1).with_traceback",
        "getattr(main, '__globals__')",
        "getattr(json, '__class__')",
        "getattr(json, '_members')",
        "getattr(json, '__init__')",
        "json.decoder",
        "(1).from_bytes",
        "defaultdict(list).default_factory",
        "re.match('a', 'a').re",
    ],
)
async def test_what_no_list_names_is_not_there(expression: str) -> None:
    lines = f"""
import json, re
from collections import defaultdict
try:
    {expression}
except AttributeError as error:
    return str(error)
"""
    said = await value_of(lines)
    assert "has no" in said


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ('return "a".upper()', "A"),
        (
            'return [hasattr("", "upper"), hasattr("", "__class__"), getattr(1, "nothing", 2)]',
            [True, False, 2],
        ),
        ("return {'a': 1}.get('a')", 1),
        ("import math\nreturn math.floor(2.5)", 2),
        ("try:\n    int('x')\nexcept ValueError as error:\n    return len(error.args)", 1),
    ],
)
async def test_what_is_listed_can_be_read(lines: str, value: object) -> None:
    assert await value_of(lines) == value
