"""Whether colour is welcome, and the colours of a difference. What is piped has none: `click.echo` takes them out."""

from __future__ import annotations

from collections.abc import Mapping

import click

_LINES = {"+": "green", "-": "red", "@": "cyan"}


def is_welcome(environment: Mapping[str, str]) -> bool:
    """Whether the user's environment leaves colour to us."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def difference_line(line: str, *, coloured: bool) -> str:
    """A line of a unified diff."""
    colour = _LINES.get(line[:1])
    return click.style(line, fg=colour) if coloured and colour is not None else line
