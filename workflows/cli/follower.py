"""Chooses how a run is shown on stderr, live or in plain lines, and says how it ended."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from engine.record.events import Event
from engine.record.view import RunView
from engine.text import clean_line
from workflows.cli import phrases
from workflows.cli.outlet import tell
from workflows.cli.plain import PlainView

if TYPE_CHECKING:
    from workflows.cli.terminal import TerminalView

Show = Callable[[Event], None]


def wants_plain(environment: Mapping[str, str], *, asked: bool) -> bool:
    """Whether stderr gets plain lines: asked for, no terminal, or one that cannot move its cursor."""
    return asked or not sys.stderr.isatty() or environment.get("TERM", "") in ("dumb", "unknown")


@asynccontextmanager
async def shown(
    view: RunView, clock: Callable[[], float], *, plain: bool, silent: bool = False
) -> AsyncGenerator[Show, None]:
    """Inside, each event that is given to what this yields is folded into `view`, and shown unless `silent`."""
    if silent:
        yield view.apply
        return
    if plain:
        yield PlainView(tell, view).apply
        return
    with _terminal(view, clock) as terminal:
        painting = asyncio.create_task(terminal.keep_painting())
        try:
            yield terminal.apply
        finally:
            painting.cancel()
            with suppress(asyncio.CancelledError):
                await painting


def closing_lines(view: RunView, folder: str, now: float) -> str:
    """What a reader must know of the answers, `run 2026…-3f9a done · 4 steps · 12s · – tokens`, and its folder."""
    notes = [f"note: {clean_line(note)} ({clean_line(name)})" for name, note in view.notes.items()]
    ended = f"run {view.run_id} {view.status} · {phrases.progress(view, now)}"
    offer = [f"{phrases.patches(view.patches)} offered: mco patches {view.run_id}"] if view.patches else []
    return "\n".join([*notes, *offer, *_broken(ended), folder])


def _broken(line: str) -> list[str]:
    """A line that the terminal would break in a word is broken between two figures."""
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    if width is None or len(line) <= width:
        return [line]
    cut = line.rfind(" · ", 0, width)
    return [line] if cut < 0 else [line[:cut], f"    {line[cut + 3 :]}"]


def _terminal(view: RunView, clock: Callable[[], float]) -> TerminalView:
    from rich.console import Console

    from workflows.cli.terminal import TerminalView

    return TerminalView(Console(stderr=True, highlight=False), clock, view)
