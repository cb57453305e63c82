"""Wall 1, annotations: checked like everything else, then dropped, since Python would run them."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "_x: int = 1",
        "def f(a: __builtins__): pass",
        "def f(*a: __builtins__): pass",
        "def f() -> __builtins__: pass",
        "async def f() -> __builtins__: pass",
        "x: __builtins__ = 1",
        "x: __builtins__",
        "x: (_x := 1) = 1",
    ],
)
def test_annotations_hold_no_name_of_the_sandbox(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("def f(a: open('x')): pass", "open is not available", 1),
        ("x: open('x') = 1", "open is not available", 1),
        ("x: args.__class__", "attributes that begin with an underscore", 1),
    ],
)
def test_annotations_are_checked(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("def f(a: dict[str, int], *b: list, **c: log('never')) -> set[int]:\n    return a\nreturn f(3)", 3),
        ("x: log('never') = 3\ny: int\nd = {}\nd['a']: int = 4\nreturn [x, d]", [3, {"a": 4}]),
        ("def f(a: 'undefined[', b: undefined = 2) -> undefined:\n    return b\nreturn f(1)", 2),
    ],
)
async def test_annotations_are_not_run(lines: str, value: object) -> None:
    assert await value_of(lines) == value
