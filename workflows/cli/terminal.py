"""The live view on a terminal: one picture, painted again when something happened and once a second."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

import anyio
from rich.console import Console
from rich.control import Control
from rich.live import Live
from rich.segment import ControlCode, ControlType
from rich.text import Text

from engine.record.events import Event
from engine.record.view import RunView
from workflows.cli.frame import Frame
from workflows.cli.glyphs import glyphs_for

_SHORTEST_PAUSE = 0.125
_TICK = 1.0


class TerminalView(AbstractContextManager["TerminalView"]):
    """Shows a run on `console`. `clock` returns seconds since the epoch; `apply` costs next to nothing."""

    def __init__(self, console: Console, clock: Callable[[], float], view: RunView) -> None:
        self._console = console
        self._clock = clock
        self._view = view
        self._signs = glyphs_for(console.encoding)
        self._changed = anyio.Event()
        self._painted: list[int] = []
        """The widths of the lines that stand on the screen now."""
        self._width = console.width
        self._live = Live(
            console=console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def apply(self, event: Event) -> None:
        """Take one event in; it is painted soon."""
        self._view.apply(event)
        self._changed.set()

    async def keep_painting(self) -> None:
        """Paint for as long as it is not cancelled: at most eight times a second, at least once."""
        while True:
            self.paint()
            await anyio.sleep(_SHORTEST_PAUSE)
            with anyio.move_on_after(_TICK - _SHORTEST_PAUSE):
                await self._changed.wait()
            self._changed = anyio.Event()

    def __enter__(self) -> TerminalView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.paint()
        self._live.stop()

    def paint(self) -> None:
        """Paint the run as it stands now; nothing before it began."""
        if self._view.status == "waiting":
            return  # nothing to show, perhaps never
        self._live.start()  # harmless when it is started
        size = self._console.size
        frame = Frame(self._view, self._clock(), size.width, size.height - 1, self._signs)
        lines = frame.lines()
        self._climb_over_wrapped_lines(size.width)
        self._live.update(Text("\n", no_wrap=True, overflow="crop").join(lines), refresh=True)
        self._painted = [line.cell_len for line in lines]
        self._width = size.width

    def _climb_over_wrapped_lines(self, width: int) -> None:
        """After the terminal became narrower our old lines take more rows than Live knows of: clear those too."""
        if width >= self._width:
            return
        extra = sum(max(0, (painted - 1) // max(1, width)) for painted in self._painted)
        up: ControlCode = (ControlType.CURSOR_UP, 1)
        erase: ControlCode = (ControlType.ERASE_IN_LINE, 2)
        self._console.control(Control(erase, *(up, erase) * extra))
