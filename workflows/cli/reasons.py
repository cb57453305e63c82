"""Why a step ran, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.text import clean_line
from workflows.cli.figures import age, count
from workflows.cli.past import short

if TYPE_CHECKING:
    from engine.record.step_view import StepState, StepView
    from engine.record.view import RunView
    from workflows.why.account import Account, Entry
    from workflows.why.reason import Change, Files, Reason

_STATES: Mapping[StepState, str] = {
    "finished": "ran",
    "queued": "waits",
    "running": "runs",
    "retrying": "runs",
}
_NAMED = 3
"""Files that are named in one line; the others are counted."""

_SAID: Mapping[str, str] = {
    "prompt": "prompt changed",
    "interrupted": "it was interrupted before",
    "unbegun": "its turn had not come when its run ended before",
    "expired": "its kept answer is older than allowed",
    "forced": "--fresh: everything is asked again",
    "uncached": "cache=False: it is asked every time",
    "writes": "it may write files, and an old answer does not bring them back",
    "dropped": "nothing changed, but its answer is no longer kept",
    "lost": "nothing changed; what the record said of it is gone",
    "unknown": "its key changed; the record does not say in what",
}


def outcome(step: StepView, run: RunView) -> str:
    """What became of a step, in one word."""
    if not step.ended and run.status not in ("waiting", "running"):
        return "interrupted"
    return _STATES.get(step.state, step.state)


def why(entry: Entry, *, complete: bool = True) -> str:
    """The reason in one line."""
    found = entry.reason
    tell = _TOLD.get(found.kind)
    if found.kind == "new" and not complete:
        return "not in the newer of the earlier runs; the oldest were not searched"
    said = tell(entry) if tell is not None else _SAID[found.kind]
    more = [name for name in found.also if name != "files"] + (["files"] if "files" in found.also else [])
    return f"{said}; also {', '.join(map(clean_line, more))}" if more else said


def change_text(change: Change) -> str:
    """`model: opus → sonnet`; a schema is known by its digest alone."""
    if change.part == "schema":
        return "schema changed"
    return f"{clean_line(change.part, 40)}: {value_text(change.old)} → {value_text(change.new)}"


def value_text(value: Any) -> str:
    """A value of an option, short."""
    if value is None or value == []:
        return "none"
    return clean_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 60)


def files_text(files: Files | None) -> str:
    """`src/a.py changed, src/b.py added and 3 more`."""
    if files is None or not files.known:
        return "files changed; which ones is no longer known"
    named = [
        *(f"{clean_line(name)} changed" for name in files.changed),
        *(f"{clean_line(name)} added" for name in files.added),
        *(f"{clean_line(name)} removed" for name in files.removed),
    ]
    rest = len(named[_NAMED:]) + files.more
    more = f" and {count(rest, 'more file')}" if rest else ""
    return f"{', '.join(named[:_NAMED])}{more}" if named else "files changed"


def document(account: Account) -> dict[str, Any]:
    """An account as JSON."""
    view = account.run.view
    return {
        "run_id": account.run.run_id,
        "workflow": view.workflow,
        "status": view.status,
        "complete": account.complete,
        "steps": [_entry(account, entry) for entry in account.entries],
    }


def _entry(account: Account, entry: Entry) -> dict[str, Any]:
    step, found, earlier = entry.step, entry.reason, entry.earlier
    return {
        "step": step.number,
        "label": step.label,
        "occurrence": account.run.labels[step.number].occurrence,
        "state": step.state,
        "kind": found.kind,
        "why": why(entry, complete=account.complete),
        "from_run": step.from_run,
        "age": step.age,
        "earlier": None if earlier is None else {"run_id": earlier.run_id, "step": earlier.step},
        **_found(found),
        "prompt": None if entry.prompt is None else entry.prompt._asdict(),
    }


def _found(found: Reason) -> dict[str, Any]:
    return {
        "upstream": None if found.upstream is None else found.upstream._asdict(),
        "changes": [{"part": part, "from": old, "to": new} for part, old, new in found.changes],
        "files": None if found.files is None else found.files._asdict(),
        "also": list(found.also),
    }


def _reused(entry: Entry) -> str:
    step = entry.step
    old = f", {age(step.age).replace('ago', 'old')} then" if step.age is not None and step.age >= 60 else ""
    return f"from {clean_line(step.from_run or 'an earlier run')}{old}"


def _unsent(entry: Entry) -> str:
    return f"never sent: {clean_line(entry.step.message) or entry.step.reason}"


def _new(_entry: Entry) -> str:
    return "new, by its label and by its prompt"


def _upstream(entry: Entry) -> str:
    source = entry.reason.upstream
    return f"the answer of {clean_line(source.label, 60)} (step {source.step}) changed" if source else ""


def _options(entry: Entry) -> str:
    return "; ".join(map(change_text, entry.reason.changes))


def _files(entry: Entry) -> str:
    return files_text(entry.reason.files)


def _failed(entry: Entry) -> str:
    skipped = entry.earlier is not None and entry.earlier.state == "skipped"
    return f"it {'was skipped' if skipped else 'failed'} before, and only answers are kept"


_TOLD: Mapping[str, Callable[[Entry], str]] = {
    "reused": _reused,
    "unsent": _unsent,
    "new": _new,
    "upstream": _upstream,
    "options": _options,
    "files": _files,
    "failed": _failed,
}


def table(account: Account) -> Sequence[tuple[str, ...]]:
    """A row for each step: number, label, what became of it, why."""
    return [
        (
            str(entry.step.number),
            short(entry.step.label),
            outcome(entry.step, account.run.view),
            why(entry, complete=account.complete),
        )
        for entry in account.entries
    ]
