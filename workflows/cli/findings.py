"""Findings on stdout for other tools: of a run that has just ended, or of one that is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import __version__
from engine.errors import UsageError
from engine.record.journal import read_journal
from engine.record.plain_file import read_plain
from engine.record.view import fold
from engine.surroundings import RunOutcome
from workflows.cli.report import echo_data
from workflows.findings.about import About
from workflows.findings.formats import write_findings
from workflows.runs import RunRecord


def echo_findings(name: str, outcome: RunOutcome, notes: Mapping[str, str], workspace: Path) -> None:
    """The findings of a run that has ended, in one of `FORMATS`. NoFindings when its result has none."""
    about = About(outcome.run_id, outcome.workflow, outcome.status, __version__, _listed(notes))
    echo_data(write_findings(name, outcome.result, about, workspace).rstrip("\n"))


def echo_kept_findings(name: str, record: RunRecord, workspace: Path) -> None:
    """The same of a run on disk. UsageError when it kept no result, NoFindings when that has none."""
    result = _result(record)
    notes = fold(read_journal(record.folder.journal)).notes
    about = About(record.run_id, record.workflow, record.status, __version__, _listed(notes))
    echo_data(write_findings(name, result, about, workspace).rstrip("\n"))


def _listed(notes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{note} ({provider})" for provider, note in notes.items())


def _result(record: RunRecord) -> Any:
    path = record.folder.result
    try:
        return json.loads(read_plain(path))
    except FileNotFoundError:
        why, hint = f"it is {record.status}", f"take it up again with: mco resume {record.run_id}"
    except (OSError, ValueError, RecursionError) as error:
        why, hint = f"its result cannot be read: {error}", None
    raise UsageError(f"the run {record.run_id} has no result", where=str(path), why=why, hint=hint)
