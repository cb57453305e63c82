"""Rows as aligned lines: cut to the terminal's width where there is one, whole where they are piped."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence

import click

from engine.text import clean_line


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to stdout. Cells come from outside and are cleaned here."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in aligned([headings, *rows], width):
        click.echo(line)


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
