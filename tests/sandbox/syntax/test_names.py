"""Wall 1, names: those of Python that are here, those that are not, and those that belong to the sandbox."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, in_main, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    "line",
    [
        "return __builtins__",
        "return __ｂuiltins__",
        "return __debug__",
        "return __name__",
        "_getattr_ = 1",
        "return _tmp0",
        "del _x",
    ],
)
def test_names_that_begin_with_an_underscore_are_refused(line: str) -> None:
    assert_refused(line, UNDERSCORE)


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("return open('x')", "open is not available", 1),
        ("return type(args)", "type is not available", 1),
        ("return eval('1')", "eval is not available", 1),
        ("run = exec", "exec is not available", 1),
        ("return globals()", "globals is not available", 1),
        ("return [vars for a in args]", "vars is not available", 1),
        ("return 𝚘𝚙𝚎𝚗", "open is not available", 1),
    ],
)
def test_builtins_that_reach_too_far_are_refused_in_words(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    "line",
    [
        "global _x",
        "global a, __builtins__",
    ],
)
def test_global_takes_no_name_of_the_sandbox(line: str) -> None:
    assert_refused(line, UNDERSCORE)


def test_nonlocal_takes_no_name_of_the_sandbox() -> None:
    lines = "def f():\n    x = 1\n    def g():\n        nonlocal x, _getattr_"
    assert_refused(lines, UNDERSCORE, 4)


def test_meta_cannot_be_made_global() -> None:
    assert_refused("def f():\n    global meta\n    meta = 1", "meta cannot be assigned again", 2)


def test_a_name_that_the_script_defines_itself_may_be_called_type() -> None:
    assert in_main('type = "x"\nreturn type') == []


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("for _ in [1, 2]:\n    pass\nreturn _", 2),
        ("sum = 5\nreturn sum", 5),
        ("a = 1\ndel a\ntry:\n    return a\nexcept NameError:\n    return 'gone'", "gone"),
        ("return [callable(len), bool(1), chr(97), ord('a')]", [True, True, "a", 97]),
    ],
)
async def test_ordinary_names_mean_what_they_mean(lines: str, value: object) -> None:
    assert await value_of(lines) == value
