"""The caret stands under its place, whatever is before it on the line."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from engine.errors import Problem
from workflows.cli.excerpt import excerpt


def caret_at(lines: list[str]) -> str:
    """The text that begins above the caret."""
    shown, caret = lines
    cells = cell_len(caret) - 1
    for start in range(len(shown) + 1):
        if cell_len(shown[:start]) == cells:
            return shown[start:].lstrip("\u0301")
    raise AssertionError(lines)


def shown(source: str, column: int, skipped: int = 0) -> list[str]:
    return excerpt(Problem(1, column, "wrong", None, source, skipped))


@pytest.mark.parametrize(
    "before",
    [
        "",
        "    ",
        "\t\t",
        "x =\t",
        "x = 'é', ",
        "x = 'e\u0301', ",
        "日本語 = ",
        "x = '🙂🙂', ",
        "x = '\x1b[31m', ",
        "x = '\u202e\u200b', ",
        "a" * 60 + " = ",
    ],
)
def test_the_caret_is_under_the_place(before: str) -> None:
    lines = shown(f"{before}open(1)", len(before) + 1)
    assert caret_at(lines).startswith("open(1)")
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("before", ["args, " * 200, "日本, " * 200, "e\u0301, " * 200])
@pytest.mark.parametrize("after", ["", ", args" * 100, ", 日本" * 100])
def test_a_long_line_is_cut_around_the_place(before: str, after: str) -> None:
    lines = shown(f"{before}open{after}", len(before) + 1)
    assert caret_at(lines).startswith("open")
    assert max(map(cell_len, lines)) <= 74
    assert lines[0].startswith("…")
    assert lines[0].endswith("…") == bool(after)


def test_what_was_cut_off_before_counts_for_the_column() -> None:
    lines = shown("b + open", 505, skipped=500)
    assert lines == ["…b + open", "     ^"]


def test_a_place_in_the_indentation_is_shown_with_it() -> None:
    assert shown("      x = 1", 3) == ["    x = 1", "^"]


def test_a_place_behind_the_end_is_at_the_end() -> None:
    assert shown("x = (  ", 40) == ["x = (", "     ^"]


def test_without_a_column_there_is_only_the_line() -> None:
    assert shown("  x = 1", 0) == ["x = 1"]
    assert shown("x", 3, skipped=9) == ["x"]


def test_without_a_source_there_is_nothing_to_show() -> None:
    assert shown("", 3) == []
