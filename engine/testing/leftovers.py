"""What a provider has left behind: processes and tasks that were not there before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from engine.process_tree import family, is_within, marked


class Leftovers:
    """Remembers what there was when it was made."""

    def __init__(self) -> None:
        self._processes = _processes()
        self._tasks = asyncio.all_tasks()

    def found(self) -> list[str]:
        """What has come since, and is still there."""
        processes = [f"the process {pid}" for pid in sorted(_processes() - self._processes)]
        tasks = [f"the task {task.get_name()}" for task in asyncio.all_tasks() - self._tasks]
        return processes + tasks


def _processes() -> set[int]:
    """All below this one, and all that carry its mark, wherever they have gone."""
    ours = is_within(str(os.getpid()))
    carriers = {pid for pid, marks in marked() if any(map(ours, marks))}
    return carriers | {member.pid for member in family(os.getpid())}


@contextmanager
def overheard() -> Generator[list[str]]:
    """Refuses programs and connections meanwhile, and lists what was tried."""
    tried: list[str] = []

    def refuse(what: str) -> Any:
        def refused(*_given: object, **_named: object) -> None:
            tried.append(what)
            raise OSError(f"the contract of providers: {what}")

        return refused

    with (
        patch("subprocess.Popen.__init__", refuse("starts a program")),
        patch("os.system", refuse("starts a program")),
        patch("socket.socket.connect", refuse("opens a connection")),
    ):
        yield tried
