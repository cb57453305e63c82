"""Wall 1, exceptions: what is caught, what is bound, and what is not there."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
STATISTICS = """
import statistics
try:
    statistics.mean([])
except statistics.StatisticsError as error:
    return len(error.args)
"""
WAY_THROUGH = """
found = []
try:
    found.append(1)
except ValueError:
    found.append(2)
else:
    found.append(3)
finally:
    found.append(4)
return found
"""
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("try: pass\nexcept ValueError as _x: pass", "names that begin", 2),
        ("try: pass\nexcept BaseException: pass", "BaseException is not available", 2),
        ("try: pass\nexcept SystemExit: pass", "SystemExit is not available", 2),
        ("try: pass\nexcept: open('x')", "open is not available", 2),
        ("try: pass\nexcept* ValueError: pass", "except* is not available", 1),
        ("try: pass\nfinally: _x = 1", "names that begin", 2),
        ("raise SystemExit", "SystemExit is not available", 1),
        ("raise KeyboardInterrupt from ExceptionGroup", "KeyboardInterrupt is not available", 1),
        ("assert open, 'x'", "open is not available", 1),
    ],
)
def test_what_stands_above_exception_is_refused(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    "name", ["with_traceback", "add_note", "obj", "name", "__traceback__", "__context__"]
)
async def test_an_exception_shows_only_its_arguments(name: str) -> None:
    lines = (
        f"try:\n    [].nothing\nexcept AttributeError as error:\n    return getattr(error, {name!r}, 'none')"
    )
    assert await value_of(lines) == "none"


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("try:\n    1 / 0\nexcept:\n    return 'caught'", "caught"),
        ("try:\n    {}['a']\nexcept (IndexError, KeyError) as error:\n    return error.args", ["a"]),
        (
            "try:\n    raise ValueError('a', main) from None\nexcept ValueError as error:\n    return error.args[0]",
            "a",
        ),
        (
            STATISTICS,
            1,
        ),
        (
            WAY_THROUGH,
            [1, 3, 4],
        ),
        ("try:\n    assert 1 == 2, 'no'\nexcept AssertionError as error:\n    return str(error)", "no"),
    ],
)
async def test_exceptions_are_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
