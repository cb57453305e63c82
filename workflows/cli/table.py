"""Rows as aligned lines: cut to the terminal's width where there is one, whole where they are piped."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence

from engine.text import clean_line
from workflows.cli.outlet import give

_NARROWEST = 20
"""A cell with less room than this is left to the terminal."""


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to stdout. Cells come from outside and are cleaned here."""
    for line in aligned([headings, *rows], stdout_width()):
        give(line)


def stdout_width() -> int | None:
    """The terminal's width in cells, None where stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def aligned(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Lines in which the cells of a column stand below each other; at most `width` cells wide."""
    from rich.cells import cell_len, set_cell_size

    cleaned = [[clean_line(cell, 500) for cell in row] for row in rows]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*cleaned, strict=True)]
    for row in cleaned:
        *others, last = row
        cells = [set_cell_size(cell, size) for cell, size in zip(others, widths, strict=False)]
        line = "  ".join([*cells, last]).rstrip()
        if width is not None and cell_len(line) > width:
            line = set_cell_size(line, width - 1).rstrip() + "…"
        yield line


def wrapped(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Like `aligned`, but nothing is cut: the last cell goes on below itself, broken at spaces."""
    from textwrap import wrap

    from rich.cells import cell_len

    lasts = [clean_line(row[-1], 500) for row in rows]
    for line, last in zip(aligned(rows, None), lasts, strict=True):
        lead = cell_len(line.removesuffix(last)) if last else 0
        if width is None or cell_len(line) <= width or width - lead < _NARROWEST:
            yield line
            continue
        first, *others = wrap(last, width - lead, break_long_words=False, break_on_hyphens=False)
        yield line.removesuffix(last) + first
        yield from (" " * lead + other for other in others)
