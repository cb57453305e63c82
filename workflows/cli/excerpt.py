"""The part of a source line that is around a problem, and the caret that stands under its place."""

from __future__ import annotations

from engine.errors import Problem
from engine.text import clean_columns

_WIDEST = 74
"""Of a longer line the part around the problem is shown: where a line wraps, a caret points at nothing."""
_BEFORE = 37
_CUT = "…"


def excerpt(problem: Problem) -> list[str]:
    """The source without its indentation, and the caret; no lines for a problem that has no source."""
    source = clean_columns(problem.source).rstrip()
    if not source.strip():
        return []
    column = min(problem.column - 1 - problem.skipped, len(source))
    if problem.column == 0 or column < 0:
        return [_fitting(source.lstrip(), _WIDEST)]
    start = _start(source, column)
    cut = _CUT if problem.skipped or source[:start].strip() else ""
    before = cut + source[start:column]
    return [_fitting(cut + source[start:], _WIDEST), " " * _width(before) + "^"]


def _start(source: str, column: int) -> int:
    """From where a line is shown: its first letter, or later where the place would be too far to the right."""
    first = min(len(source) - len(source.lstrip()), column)
    if _width(source[first:]) <= _WIDEST:
        return first
    start, width = column, 0
    while start > first and width + _width(source[start - 1]) <= _BEFORE:
        start -= 1
        width += _width(source[start])
    return start


def _fitting(text: str, width: int) -> str:
    """As much of a text as fits, with a sign where something was left out."""
    if _width(text) <= width:
        return text
    end, taken = 0, 0
    while taken + _width(text[end]) < width:
        taken += _width(text[end])
        end += 1
    return text[:end].rstrip() + _CUT


def _width(text: str) -> int:
    """The cells that a text takes on a terminal: two for a wide character, none for one that combines."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # few lines of a script need it

    return cell_len(text)
