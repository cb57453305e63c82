"""Taking up a run again: nobody else may do so at the same time, and a run that was killed gets its last word."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from engine.errors import StorageFailed, UsageError
from engine.record.events import RunFinished, Tokens
from engine.record.folder import RunFolder
from engine.record.journal import Journal, JournalReader, last_event
from engine.record.lock import RunLock
from engine.record.view import fold


def take_up(runs: Path, run_id: str) -> RunLock | None:
    """Claim a run for the one that takes it up again: a lock to be released at its end; None when it is gone.

    UsageError naming the process that has it. A run whose mco was killed ends as `interrupted` in its journal.
    """
    folder = RunFolder(runs / run_id)
    if not folder.path.is_dir():
        return None
    lock = RunLock(folder.resume_lock, "taken up again")
    lock.acquire()
    with suppress(OSError, StorageFailed, UsageError):  # what cannot be closed can be taken up all the same
        _end(folder)
    return lock


def _end(folder: RunFolder) -> None:
    with RunLock(folder.lock):
        if isinstance(last_event(folder.journal), RunFinished):
            return
        reader = JournalReader(folder.journal)
        events = list(reader.read())
        if not events:
            return
        view = fold(events)
        journal = Journal(folder.journal)
        try:
            journal.mend()
            journal.write(
                RunFinished(
                    seq=reader.seq + 1,
                    at=events[-1].at,
                    status="interrupted",
                    error="mco was killed, or the machine went down",
                    seconds=max(0.0, events[-1].at - events[0].at),
                    usage=Tokens.of(view.usage),
                )
            )
        finally:
            journal.close()
