"""Ctrl-C and SIGTERM: the first stops the run in order, the second ends it at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = [number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")]


@contextmanager
def stopping(stop: Callable[[], None], *, exit_code: int) -> Generator[None]:
    """Inside, the first signal calls `stop` in the event loop; the second ends the process without a word.

    The children are killed then; the script's worker has asked the operating system to die with us.
    """
    loop = asyncio.get_running_loop()
    asked = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            _show_cursor()
            _kill_children()
            os._exit(exit_code)
        asked = True
        loop.call_soon_threadsafe(stop)

    before: dict[signal.Signals, Any] = {
        number: signal.signal(number, handle)
        for number in _SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN  # as `nohup` wants it
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _kill_children() -> None:
    from engine.process_tree import kill_everything  # where it was not imported there are none

    kill_everything()


def _show_cursor() -> None:
    """The live view hides it, and will not get to show it again."""
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), b"\x1b[?25h\n")
