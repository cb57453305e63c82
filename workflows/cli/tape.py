"""`mco run --record FILE` and `--replay FILE`: the stages that write a cassette and play one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import MCOError
from engine.stand_ins.cassette import check_place, read_cassette, write_cassette
from engine.stand_ins.recorder import Recorder
from engine.stand_ins.replay import Replay
from workflows.cli.failure import describe
from workflows.cli.figures import count
from workflows.cli.stage import Stage

if TYPE_CHECKING:
    from engine.record.events import Event
    from engine.settings import Settings
    from engine.surroundings import Surroundings
    from workflows.cli.finished import Finished


class RecordStage(Stage):
    """Writes down what a run found and was answered, also when it fails."""

    def __init__(self, path: Path) -> None:
        check_place(path)
        self._path = path
        self._recorder = Recorder()
        self._around: Surroundings | None = None

    def prepare(self, around: Surroundings) -> Surroundings:
        """The same, overheard."""
        self._around = around
        return around._replace(stand_in=self._recorder)

    def views(self) -> list[Callable[[Event], None]]:
        """The recorder hears what the run as a whole came to."""
        return [self._recorder.apply]

    def finish(self, finished: Finished, settings: Settings) -> Finished:
        """Write the file. When that fails the run is as it was, and the command fails."""
        registry = None if self._around is None else self._around.registry
        cassette = registry and self._recorder.cassette(registry, pinned=settings.provider is not None)
        if cassette is None:
            return finished
        try:
            write_cassette(self._path, cassette)
        except MCOError as error:
            said = (*finished.said, describe(error))
            return finished._replace(said=said, exit_code=finished.exit_code or error.exit_code)
        line = f"recorded {count(len(cassette.steps), 'step')} to {self._path}"
        return finished._replace(said=(*finished.said, line))


class ReplayStage(Stage):
    """Plays a cassette: nobody is asked."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._cassette = read_cassette(path)
        self._replay: Replay | None = None

    def prepare(self, around: Surroundings) -> Surroundings:
        """The cassette for the providers, which are as they were then."""
        cassette = self._cassette
        self._replay = Replay(cassette, str(self._path), self._clock)
        pinned = cassette.default if cassette.pinned else None
        return around._replace(
            settings=around.settings.model_copy(update={"provider": pinned}),
            registry=self._replay.registry(),
            stand_in=self._replay,
        )

    def finish(self, finished: Finished, settings: Settings) -> Finished:
        """Say what the answers are worth here."""
        if self._replay is None:
            return finished
        given = f"replayed from {self._path}: nobody was asked"
        remarks = [line for line in (given, self._elsewhere(), self._left()) if line]
        return finished._replace(said=(*finished.said, *remarks))

    def _elsewhere(self) -> str:
        number = self._replay.elsewhere if self._replay is not None else 0
        return (number and f"note: {count(number, 'answer')} came from other files than are here now") or ""

    def _left(self) -> str:
        unused = self._replay.unused if self._replay is not None else 0
        return (unused and f"note: {count(unused, 'recorded step')} nobody asked for") or ""
