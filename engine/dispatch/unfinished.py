"""Steps that were changing the workspace's own files when their run was killed: nobody knows how far they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from engine.errors import MCOError, StepFailed, StorageFailed
from engine.record.events import Event, StepFinished, StepQueued, StepReused, StepStarted
from engine.record.events import StepFailed as StepFailedEvent
from engine.record.folder import RunFolder
from engine.record.lineage import lineage
from engine.step import Key, OnResume, Step
from engine.text import clean_line

_MARK = b'"in_place":"'
_ENDS = (StepFinished, StepFailedEvent, StepReused)


class CutOff(NamedTuple):
    """One such step. `wants` is what its script said should become of it, None when it said nothing."""

    run: str
    label: str
    wants: OnResume | None


def cut_off(journals: Iterable[tuple[str, Iterable[Event]]]) -> dict[str, CutOff]:
    """By key, what was started and never ended in these runs, given by id from the oldest to the newest. Pure."""
    open_steps: dict[str, CutOff] = {}
    for run, events in journals:
        queued: dict[int, StepQueued] = {}
        started: set[int] = set()
        for event in events:
            if isinstance(event, StepQueued) and event.in_place is not None:
                queued[event.step] = event
            elif isinstance(event, StepStarted) and event.step in queued:
                step = queued[event.step]
                started.add(event.step)
                wants = None if step.in_place == "ask" else step.in_place
                open_steps[step.key] = CutOff(run, step.label, wants)
            elif isinstance(event, _ENDS) and event.step in started:
                done = queued[event.step]
                open_steps = {
                    k: cut for k, cut in open_steps.items() if k != done.key and cut.label != done.label
                }
    return open_steps


class Past:
    """What a resumed run must know of the runs before it. `answers` are a person's decisions, by key."""

    def __init__(
        self, runs: Path, parent: str | None, answers: Mapping[str, OnResume] = MappingProxyType({})
    ) -> None:
        self._folders: Sequence[RunFolder] = lineage(runs, parent)
        self._answers = answers
        self._known: dict[str, CutOff] | None = None

    @property
    def runs(self) -> frozenset[str]:
        """The ids of the runs before it."""
        return frozenset(folder.run_id for folder in self._folders)

    @property
    def cut_off(self) -> Mapping[str, CutOff]:
        """The steps that were cut off, by key; the journals are read when this is first asked for."""
        if self._known is None:
            self._known = cut_off((folder.run_id, _events(folder)) for folder in self._folders)
        return self._known

    def verdict(self, step: Step, key: Key) -> StepFailed | None:
        """Why a step may not simply run, None when it may. MCOError when somebody has to decide first."""
        if not self._folders or not step.writes_in_place:
            return None
        found = self._find(step, key)
        if found is None:
            return None
        cut = self.cut_off[found]
        wants = self._answers.get(found) or step.on_resume or "halt"
        if wants == "rerun":
            return None
        label = clean_line(step.label, 60)
        if wants == "skip":
            return StepFailed("cancelled", f"it was cut off in run {cut.run}, and is skipped")
        raise MCOError(
            f"the step {label!r} was changing files when run {cut.run} was cut off",
            why="nobody knows how far it came",
            hint="look at the files, then resume with --on-resume rerun or --on-resume skip; "
            "a script says so beforehand by on_resume=",
        )

    def _find(self, step: Step, key: Key) -> str | None:
        """The key under which this step was cut off: its own, or, where it was edited since, that of its label."""
        if key.digest in self.cut_off:
            return key.digest
        return next((known for known, cut in self.cut_off.items() if cut.label == step.label), None)


def _events(folder: RunFolder) -> Iterable[Event]:
    from engine.record.journal import LONGEST_LINE, read_journal
    from engine.record.plain_file import open_plain

    try:
        # Most runs never wrote in place, and reading a long journal takes its time.
        with open_plain(folder.journal) as file:
            wrote = any(_MARK in line for line in iter(lambda: file.readline(LONGEST_LINE), b""))
        return read_journal(folder.journal) if wrote else ()
    except (OSError, StorageFailed):
        return ()
