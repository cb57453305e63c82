"""What a run is set up with: nothing for most; a dry run, a recording and a replay have stages of their own."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.record.events import Event
    from engine.settings import Settings
    from engine.surroundings import Surroundings
    from workflows.cli.finished import Finished


class Stage:
    """An ordinary run: its providers answer. Others change what they have to, and are entered once a run."""

    silent = False
    """Whether nothing is shown while it goes on."""

    real = True
    """Whether the run is one to make something of: artifacts, say."""

    def prepare(self, around: Surroundings) -> Surroundings:
        """What the run is given, out of what it would be given."""
        return around

    def views(self) -> list[Callable[[Event], None]]:
        """Who else hears of its events."""
        return []

    def finish(self, finished: Finished, settings: Settings) -> Finished:
        """What is shown of the run, out of what would be shown. Called when it has ended, however it did."""
        return finished

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
