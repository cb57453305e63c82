"""Wall 1, classes: there are none, nor types by another name."""

from __future__ import annotations

import sys

import pytest

from tests.sandbox.syntax.checking import assert_refused


@pytest.mark.parametrize(
    ("lines", "words", "line"),
    [
        ("class A: pass", "classes are not available", 1),
        ("class A(str):\n    __slots__ = ()", "classes are not available", 1),
        ("class A(metaclass=main): pass", "classes are not available", 1),
        ("@main\nclass A: pass", "classes are not available", 2),
        ("return type('A', (), {})", "type is not available", 1),
        ("return super()", "super is not available", 1),
        ("return property(main)", "property is not available", 1),
    ],
)
def test_there_is_no_way_to_a_class(lines: str, words: str, line: int) -> None:
    assert_refused(lines, words, line)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_type_aliases_are_refused() -> None:
    assert_refused("type A = int", "type aliases are not available")
