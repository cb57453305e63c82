"""Workers, with a warm one kept ahead: after the first, a script starts in the time that compiling it takes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from engine.errors import WorkerKilled
from engine.sandbox.host import Worker
from engine.sandbox.limits import WorkerLimits

PAUSE_SECONDS = 0.02
"""The next worker starts this much later, so that it takes no processor from the script that starts now."""


class Workers:
    """Gives each script a worker of its own, and starts the next one ahead. `close` ends the one that nobody took."""

    def __init__(self, limits: WorkerLimits, pause: float = PAUSE_SECONDS) -> None:
        self._limits = limits
        self._pause = pause
        self._spare: Worker | None = None
        self._closed = False

    def take(self) -> Worker:
        """A worker that no script has used; WorkerKilled when none can be started. The caller ends it."""
        spare, self._spare = self._spare, None
        if spare is not None and not spare.alive:  # it was killed while nobody looked
            spare.kill()
            spare = None
        worker = spare or Worker.spawn(self._limits)
        asyncio.get_running_loop().call_later(self._pause, self.warm)
        return worker

    def warm(self) -> None:
        """Start a worker ahead, unless there is one. When that fails, `take` says why."""
        if self._spare is None and not self._closed:
            with suppress(WorkerKilled):
                self._spare = Worker.spawn(self._limits)

    def close(self) -> None:
        """End the spare worker; no other is started."""
        self._closed = True
        if self._spare is not None:
            self._spare.kill()
            self._spare = None
