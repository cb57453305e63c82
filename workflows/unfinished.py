"""The runs that somebody may still want to take up again, and the answers that they need."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import StorageFailed
from engine.record.events import StepFinished, StepQueued, StepReused
from engine.record.folder import RunFolder
from engine.record.journal import JournalReader
from engine.store.upkeep import Needed
from workflows.runs import RunRecord, RunStore


def unfinished(store: RunStore) -> Iterator[RunRecord]:
    """Runs that did not end well and were not taken up again by a later one, newest first; no replays."""
    taken_up: set[str] = set()
    for record in store.newest():
        if record.parent is not None:
            taken_up.add(record.parent)
        ended = record.status in ("done", "unreadable") or record.replayed
        if not ended and record.run_id not in taken_up:
            yield record


def needed(store: RunStore) -> Needed:
    """What unfinished runs would find again: what they found, and all that they made."""
    records = list(unfinished(store))
    keys = {key for record in records for key in answered(record.folder)}
    return Needed(keys, {record.run_id for record in records})


def answered(folder: RunFolder) -> Iterator[str]:
    """The keys of a run's steps that have an answer, made then or found."""
    keys: dict[int, str] = {}
    try:
        for event in JournalReader(folder.journal).read():
            if isinstance(event, StepQueued):
                keys[event.step] = event.key
            elif isinstance(event, (StepFinished, StepReused)) and event.step in keys:
                yield keys[event.step]
    except StorageFailed:
        return  # nobody can take it up
