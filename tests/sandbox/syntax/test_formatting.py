"""Wall 1, formatting: f-strings, format, and percent, without attributes and within widths."""

from __future__ import annotations

import pytest

from tests.sandbox.syntax.checking import assert_refused, value_of

pytestmark = pytest.mark.anyio
UNDERSCORE = "names that begin with an underscore"


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("return f'{args.__class__}'", "attributes that begin with an underscore", 1),
        ("return f'{args!r:{args.__class__}}'", "attributes that begin with an underscore", 1),
        ("return f'{open}'", "open is not available", 1),
        ("return f'{1:{(_format_ := str)}}'", "names that begin with an underscore", 1),
        ("return f'{_x=}'", "names that begin with an underscore", 1),
    ],
)
def test_what_stands_inside_an_f_string_is_checked(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.parametrize(
    "expression",
    [
        "'{0.__class__}'.format(1)",
        "'{0[0]}'.format([1])",
        "'{0:{1}}'.format(1, 2)",
        "str.format('{0.__class__}', 1)",
        "list(map('{0.__class__}'.format, [1]))",
        "f'{1:99999}'",
        "f'{1:{99999}d}'",
        "f'{1.0:.99999f}'",
        "format(1, '99999')",
        "format(1, chr(0x669) * 5)",
        "'%99999d' % 1",
        "'%.99999f' % 1.0",
        "'%*d' % (99999, 1)",
        "'%(a(b)c)99999d' % {'a(b)c': 1}",
        "'%%%99999d' % 1",
        "'%99999d'.encode() % 1",
    ],
)
async def test_what_reads_inside_values_or_is_too_wide_is_refused_when_it_runs(expression: str) -> None:
    lines = f"try:\n    return {expression}\nexcept ValueError as error:\n    return [str(error)]"
    (said,) = await value_of(lines)
    assert "digits" in said or "use an f-string" in said


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("return f\"{3.14159:.2f}|{'a':>4}|{'q'!r:5}|{1:{4}}|{2=}\"", "3.14|   a|'q'  |   1|2=2"),
        ("return '{} {1!r}'.replace('{1', '{n').format('x', n='y')", "x 'y'"),
        (
            "return '%s-%03d%%' % ('a', 5) + '%(k)5.1f|%(k(2))s' % {'k': 1.25, 'k(2)': 'z'}",
            "a-005%  1.2|z",
        ),
        ("return 'build 123456: 100%% of %s' % 'it'", "build 123456: 100% of it"),
        ("text = '%s'\ntext %= 'x'\nreturn text", "x"),
    ],
)
async def test_formatting_in_bounds_is_pythons(lines: str, value: object) -> None:
    assert await value_of(lines) == value
