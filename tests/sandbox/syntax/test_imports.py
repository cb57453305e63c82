"""Wall 1, imports: the allowed modules, by their allowed names."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("import os", "the module os cannot be imported", 1),
        ("import json.decoder", "the module json.decoder cannot be imported", 1),
        ("import json, os as json", "the module os cannot be imported", 1),
        ("import _io", "the module _io cannot be imported", 1),
        ("from json import *", "everything at once cannot be imported", 1),
        ("from json import codecs", "codecs cannot be imported from json", 1),
        ("from json import __builtins__", "__builtins__ cannot be imported from json", 1),
        ("from json import __class__", "__class__ cannot be imported from json", 1),
        ("from . import json", "relative imports", 1),
        ("from .json import loads", "relative imports", 1),
        ("from .__future__ import annotations", "relative imports", 1),
        ("from __future__ import division", "the module __future__ cannot be imported", 1),
        ("from __future__ import annotations as a", "the module __future__ cannot be imported", 1),
    ],
)
def test_what_is_not_here_cannot_be_imported(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    "line",
    [
        "import json as _x",
        "from json import loads as _x",
        "from __future__ import annotations as _getattr_",
    ],
)
def test_an_import_binds_no_name_of_the_sandbox(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("import json as j\nfrom math import floor as down\nreturn [j.dumps([1]), down(1.5)]", ["[1]", 1]),
        (
            "import itertools, functools\nreturn functools.reduce(lambda a, b: a + b, itertools.chain([1], [2]))",
            3,
        ),
        ("if True:\n    from __future__ import annotations\nreturn 1", 1),
        ("try:\n    1 / 0\nexcept:\n    from __future__ import annotations\nreturn 2", 2),
    ],
)
async def test_what_is_allowed_works_under_any_name(lines: str, value: object) -> None:
    assert await value_of(lines) == value
