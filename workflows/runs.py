"""The runs of a workspace, as their folders on disk tell of them. What is torn or missing there is said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engine.errors import StorageFailed, UsageError
from engine.record.events import JOURNAL_VERSION, RunFinished, RunStarted, Status, Tokens
from engine.record.folder import RunFolder
from engine.record.journal import journal_ends
from engine.record.lock import is_held
from engine.step import Usage

LAST = "last"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, from the first and the last line of its journal. `damage` says what could not be read."""

    folder: RunFolder
    status: Status | Literal["running", "interrupted", "unreadable"]
    workflow: str = ""
    args: Any = None
    started_at: float | None = None
    seconds: float | None = None
    usage: Tokens = field(default_factory=Tokens)
    parent: str | None = None
    replayed: bool = False
    """Its answers came from a cassette, and nobody was asked."""
    damage: str = ""

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.folder.run_id

    @property
    def tokens(self) -> int | None:
        """What it used, or None when nobody said."""
        return Usage(input_tokens=self.usage.input_tokens, output_tokens=self.usage.output_tokens).tokens


class RunStore:
    """Finds and reads the runs below one folder."""

    def __init__(self, runs_folder: Path) -> None:
        self._runs = runs_folder

    def newest(self, number: int | None = None) -> list[RunRecord]:
        """The newest runs, newest first; None is all of them."""
        return [read_record(RunFolder(self._runs / run_id)) for run_id in self._ids()[:number]]

    def count(self) -> int:
        """How many runs there are."""
        return len(self._ids())

    def find(self, asked: str = LAST) -> RunRecord:
        """A run by its id, the unique beginning of one, or `last`. UsageError when that names none or several."""
        ids = self._ids()
        if not ids:
            raise UsageError(
                "there are no runs here yet", where=str(self._runs), hint="start one with: mco run NAME"
            )
        if asked == LAST:
            return read_record(RunFolder(self._runs / ids[0]))
        matching = [run_id for run_id in ids if run_id == asked] or [
            run_id for run_id in ids if asked and run_id.startswith(asked)
        ]
        if len(matching) != 1:
            raise _no_single(asked, matching, ids)
        return read_record(RunFolder(self._runs / matching[0]))

    def folder(self, run_id: str) -> RunFolder | None:
        """The folder of a run by its whole id, as a record names it; None when there is none."""
        path = self._runs / run_id
        plain = path.parent == self._runs and run_id[0] != "." and "\0" not in run_id and len(run_id) < 100
        return RunFolder(path) if plain and path.is_dir() else None

    def before(self, run_id: str) -> Iterator[RunFolder]:
        """The folders of the runs before one, newest first."""
        ids = self._ids()
        position = ids.index(run_id) if run_id in ids else -1
        return (RunFolder(self._runs / other) for other in ids[position + 1 :])

    def _ids(self) -> list[str]:
        """All of them, newest first."""
        try:
            with os.scandir(self._runs) as entries:
                names = [entry.name for entry in entries if entry.is_dir() and entry.name[0] != "."]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageFailed(
                "the runs cannot be listed", where=str(self._runs), why=error.strerror or str(error)
            ) from error
        seconds = Counter(map(_second, names))
        return sorted(names, key=lambda name: self._age_order(name, seconds), reverse=True)

    def _age_order(self, name: str, seconds: Counter[str]) -> tuple[str, int, str]:
        """Ids sort by time, to the second; among runs of one second the first file that each wrote tells."""
        second = _second(name)
        written = 0
        if seconds[second] > 1:
            with suppress(OSError):
                written = (self._runs / name / "run.json").stat().st_mtime_ns
        return second, written, name


def _second(run_id: str) -> str:
    return run_id[: len("20261121-110457")]


def read_record(folder: RunFolder) -> RunRecord:
    """What is known of a run. Never raises for what is on disk."""
    try:
        held = is_held(folder.lock)
        first, last, torn = journal_ends(folder.journal)
        held = held or is_held(
            folder.lock
        )  # it may have begun in between, or, looked at in this order, ended
    except FileNotFoundError:
        return RunRecord(folder, "unreadable", damage="it has no journal")
    except (OSError, StorageFailed) as error:
        return RunRecord(folder, "unreadable", damage=f"its journal cannot be read: {_said(error)}")
    if not isinstance(first, RunStarted):
        return RunRecord(folder, "unreadable", damage="its journal does not begin with RunStarted")
    if first.journal_version > JOURNAL_VERSION:
        return RunRecord(folder, "unreadable", first.workflow, damage="a newer mco wrote it")
    end = last if isinstance(last, RunFinished) else None
    return RunRecord(
        folder,
        end.status if end else "running" if held else "interrupted",
        workflow=first.workflow,
        args=first.args,
        started_at=first.at,
        seconds=end.seconds if end else None,
        usage=end.usage if end else Tokens(),
        parent=first.parent,
        replayed=first.answers != "providers",
        damage="its last line is torn" if torn and not held else "",
    )


def _said(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _no_single(asked: str, matching: list[str], ids: list[str]) -> UsageError:
    if matching:
        return UsageError(
            f"{len(matching)} runs begin with {asked!r}",
            why=", ".join(matching[:5]),
            hint="write more of the id",
        )
    return UsageError(
        f"there is no run {asked!r}",
        hint=f"the newest is {ids[0]}; `mco runs` lists them, and `last` always names the newest",
    )
