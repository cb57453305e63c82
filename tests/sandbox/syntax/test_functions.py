"""Wall 1, functions: parameters, defaults, decorators; none of them shadows a guard."""

from __future__ import annotations

import sys

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
COUNTER = """
def outer():
    n = 0
    def more():
        nonlocal n
        n += 1
        return n
    more()
    return more()
return outer()
"""
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "def _f(): pass",
        "async def _f(): pass",
        "def f(_x): pass",
        "def f(_x, /): pass",
        "def f(*, _x): pass",
        "def f(*_x): pass",
        "def f(**_x): pass",
        "def f(a, /, b=1, *, _getattr_=2): pass",
        "def f(a, _getitem_=lambda c, k: c, /): pass",
        "return lambda _x: 1",
        "return lambda _x, /: 1",
        "return lambda *, _x=1: 1",
        "return lambda *_x: 1",
        "return lambda **_x: 1",
        "def f(a=(_x := 1)): pass",
        "def f(*, a=__builtins__): pass",
    ],
)
def test_parameters_and_defaults_take_no_name_of_the_sandbox(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("@_x\ndef f(): pass", "names that begin with an underscore", 1),
        ("@args.__class__\ndef f(): pass", "attributes that begin with an underscore", 1),
        ("@(lambda f: f.__globals__)\ndef f(): pass", "attributes that begin with an underscore", 1),
    ],
)
def test_decorators_are_checked(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_type_parameters_are_refused() -> None:
    assert_refused("def f[T](a): pass", "type parameters are not available")
    assert_refused("def f[_getattr_](a): pass", "type parameters are not available")


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("def f(a, /, b=2, *, c=3):\n    return [a, b, c]\nreturn f(1, c=4)", [1, 2, 4]),
        (
            COUNTER,
            2,
        ),
        (
            "def twice(f):\n    return lambda x: f(f(x))\n@twice\ndef add(x):\n    return x + 1\nreturn add(1)",
            3,
        ),
        ("def gen():\n    got = yield 1\n    yield from [2, 3]\nreturn list(gen())", [1, 2, 3]),
        ("def f():\n    global shared\n    shared = 4\nf()\nreturn shared", 4),
    ],
)
async def test_functions_are_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
