"""Opens finished runs for the commands that look back, and says what is damaged in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import StorageFailed
from engine.text import clean_line
from workflows.cli.caller import Caller
from workflows.cli.figures import count
from workflows.cli.outlet import tell
from workflows.cli.table import stdout_width

if TYPE_CHECKING:
    from workflows.runs import RunRecord
    from workflows.why.history import History
    from workflows.why.past import PastRun

_TOLD = 3
"""Losses that are named; the others are counted."""


def short(label: str) -> str:
    """A step's name in a table: at most a third of the terminal's width, whole where it is piped."""
    width = stdout_width()
    return clean_line(label, 500 if width is None else max(16, width // 3))


def open_run(caller: Caller, asked: str) -> PastRun:
    """A run by its id, the beginning of one, or `last`, read back. Damage is told on stderr."""
    from workflows.why.past import PastRun

    record = caller.runs.find(asked)
    if record.status == "unreadable":
        raise unreadable(record)
    run = PastRun(record.folder)
    if record.status == "interrupted":
        run.view.mark_interrupted()
    if run.damaged:
        tell(f"warning: {count(run.damaged, 'line')} of the journal of {run.run_id} cannot be read")
    if run.unknown:
        newer = count(run.unknown, "event")
        tell(f"note: a newer mco took part in {run.run_id}: {newer} of its own kind cannot be shown")
    if record.damage:
        tell(f"warning: {run.run_id}: {record.damage}")
    return run


def tell_losses(*runs: PastRun) -> None:
    """What of their records could not be read for a report that was just given."""
    losses = list(dict.fromkeys(loss for run in runs for loss in run.losses))
    for loss in losses[:_TOLD]:
        tell(f"warning: {loss}")
    if len(losses) > _TOLD:
        tell(f"warning: {count(len(losses) - _TOLD, 'more part')} of these records cannot be read")


def unreadable(record: RunRecord) -> StorageFailed:
    """The error for a run whose journal does not tell what it was."""
    return StorageFailed(
        f"the run {record.run_id} cannot be read",
        where=str(record.folder.path),
        why=record.damage,
        hint=f"run it again with: mco resume {record.run_id}; finished steps are reused",
    )


def history_of(caller: Caller, run: PastRun) -> History:
    """The runs before one."""
    from workflows.why.history import History

    return History(caller.runs, run)
