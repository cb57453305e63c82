"""The whole story of one run: what, when, how it ended, every step and why it ran, and how to go on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.text import clean_block, clean_line
from workflows.cli import phrases, reasons
from workflows.cli.figures import UNKNOWN, age, amount, count, duration, spending
from workflows.cli.outlet import give
from workflows.cli.past import short
from workflows.cli.table import stdout_width, wrapped
from workflows.why.account import account
from workflows.why.files import files_between

if TYPE_CHECKING:
    from engine.record.events import Changes
    from engine.record.step_view import StepView
    from engine.record.view import LogLine, RunView
    from engine.step import Usage
    from workflows.cli.caller import Caller
    from workflows.why.account import Account, Entry
    from workflows.why.history import History
    from workflows.why.past import PastRun

_MOST_LOGGED = 50
_AGAIN = frozenset({"interrupted", "cancelled", "failed", "partial", "ceiling", "no_provider"})
"""How a run ends that may be taken up again."""


@dataclass(frozen=True, slots=True)
class Story:
    """A run with the reasons of its steps, as of `now` (seconds since the epoch), seen from `folder`."""

    account: Account
    now: float
    folder: Path

    @classmethod
    def of(cls, run: PastRun, history: History, caller: Caller) -> Story:
        """The story of a run that was read back."""
        return cls(account(run, history, files_between(caller.places.state)), caller.clock(), caller.folder)

    @property
    def run(self) -> PastRun:
        """The run itself."""
        return self.account.run

    @property
    def view(self) -> RunView:
        """The view of its journal."""
        return self.account.run.view

    def show(self) -> None:
        """Write it to stdout, for people."""
        for line in self._lines():
            give(line)

    def _lines(self) -> Iterator[str]:
        yield f"{clean_line(self.view.workflow)}  run {self.run.run_id}  {self.view.status}"
        yield ""
        yield from _indented(list(self._facts()))
        yield from self._steps()
        yield from self._log()
        if self.view.error:
            yield from ("", f"error: {clean_block(self.view.error, 4_000)}")
            yield from (["", f"hint: {clean_block(self.view.hint, 2_000)}"] if self.view.hint else [])
        yield ""
        yield from _indented(list(self._ways()))

    def _facts(self) -> Iterator[tuple[str, str]]:
        view = self.view
        if view.description:
            yield "what", view.description
        if view.started_at is not None:
            yield "started", f"{_moment(view.started_at)} ({age(max(0.0, self.now - view.started_at))})"
        yield "took", duration(phrases.elapsed(view, self.now))
        if view.args:
            yield "arguments", json.dumps(view.args, ensure_ascii=False)
        if view.parent:
            yield "resumes", view.parent
        if any(view.phases) or not view.phases:  # else the heading of the steps says it
            tally = phrases.tally(view.counts, died=self._died)
            yield "steps", " · ".join([count(view.counts.total, "step"), *tally])
        yield "spent", spending(view.usage, view.unmeasured)
        if _known(view.saved):
            yield "saved", spending(view.saved)
        for name, note in view.notes.items():
            yield "note", f"{note} ({name})"

    def _steps(self) -> Iterator[str]:
        entries = {entry.step.number: entry for entry in self.account.entries}
        for phase in self.view.phases.values():
            chosen = [entries[number] for number in phase.steps]
            yield ""
            tally = phrases.phase_tally(phase, died=self._died)
            yield f"{clean_line(phase.title) or 'steps'}  {tally or 'never entered'}"
            yield from _indented([self._row(entry) for entry in chosen])

    def _until(self) -> float:
        """A run whose process died tells nothing of the time after its last event."""
        return self.view.seen_at or self.now if self._died else self.now

    @property
    def _died(self) -> bool:
        return self.view.status == "interrupted"

    def _row(self, entry: Entry) -> tuple[str, ...]:
        step = entry.step
        figures = (
            ("", "", "")
            if step.state == "reused"
            else (
                duration(phrases.seconds(step, self._until())),
                amount(step.usage.tokens),
                _cost(step.usage),
            )
        )
        return (
            str(step.number),
            short(step.label),
            reasons.outcome(step, self.view),
            phrases.answered_by(step),
            *figures,
            self._said(entry),
        )

    def _said(self, entry: Entry) -> str:
        """Why a step ran; before that, why it has no answer."""
        why = reasons.why(entry, complete=self.account.complete)
        if entry.step.state in ("failed", "skipped") and entry.reason.kind != "unsent":
            return f"{phrases.remark(entry.step)} (it ran because: {why})"
        return f"{why}; {_patched(entry.step.changes)}" if entry.step.changes else why

    def _log(self) -> Iterator[str]:
        lines = self.view.log[-_MOST_LOGGED:]
        if lines:
            yield from ("", "log")
            hidden = len(self.view.log) - len(lines)
            yield from (
                [f"  … {count(hidden, 'earlier line')}; mco watch {self.run.run_id}"] if hidden else []
            )
            yield from _indented([self._logged(line) for line in lines])

    def _logged(self, line: LogLine) -> tuple[str, str]:
        since = line.at - (self.view.started_at or line.at)
        word = "warning: " if line.level == "warning" else ""
        return f"+{duration(max(0.0, since))}", f"{word}{phrases.log_text(line)}"

    def _ways(self) -> Iterator[tuple[str, str]]:
        """Where its files are, and how to go on from here."""
        folder, run_id = self.run.folder, self.run.run_id
        yield "folder", _seen_from(self.folder, folder.path)
        if folder.summary.exists():
            yield "report", _seen_from(self.folder, folder.summary)
        if self.view.status in _AGAIN and self.view.answers == "providers":
            yield "go on", f"mco resume {run_id}"
        elif self.view.status == "running":
            yield "follow it", f"mco watch {run_id}"
        if folder.patches.is_dir():
            yield "patches", f"mco patches {run_id}"
        yield "one step", f"mco why {run_id} STEP"

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        view = self.view
        told = reasons.document(self.account)
        steps = zip(self.account.entries, told["steps"], strict=True)
        return {
            "run_id": self.run.run_id,
            "workflow": view.workflow,
            "description": view.description,
            "status": view.status,
            "error": view.error,
            "hint": view.hint,
            "args": view.args,
            "parent": view.parent,
            "started_at": view.started_at,
            "seconds": view.seconds,
            "usage": _usage(view.usage),
            "saved": _usage(view.saved),
            "complete": told["complete"],
            "steps": [_step(entry.step) | why for entry, why in steps],
            "log": [line._asdict() for line in view.log],
            "notes": view.notes,
            "damaged_lines": self.run.damaged,
            "folder": str(self.run.folder.path),
        }


def _moment(at: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(max(0.0, at)))
    except (OverflowError, ValueError, OSError):  # the journal is somebody's file
        return UNKNOWN


def _step(step: StepView) -> dict[str, Any]:
    return {
        "step": step.number,
        "label": step.label,
        "phase": step.phase,
        "provider": step.provider,
        "model": step.model,
        "attempt": step.attempt,
        "seconds": step.seconds,
        "usage": _usage(step.usage),
        "reason": step.reason or None,
        "message": step.message or None,
        "patch": step.changes and step.changes.model_dump(),
        "key": step.key,
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {name: getattr(usage, name) for name in usage.__slots__}


def _known(usage: Usage) -> bool:
    return usage.tokens is not None or usage.cost is not None


def _patched(changes: Changes) -> str:
    files = count(changes.files, "file")
    return f"{phrases.patches(changes.patches)}: {files}, +{changes.added:,} −{changes.removed:,} lines"


def _cost(usage: Usage) -> str:
    return "" if usage.cost is None else f"${usage.cost:.2f}"


def _seen_from(folder: Path, path: Path) -> str:
    relative = os.path.relpath(path, folder)
    return str(path) if relative.startswith("..") else relative


def _indented(rows: list[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        width = stdout_width()
        yield from (f"  {line}" for line in wrapped(rows, width and width - 2))
