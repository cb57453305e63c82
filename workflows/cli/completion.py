"""What the shell offers when a name is half typed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from engine.errors import MCOError
from workflows.cli.caller import Caller


def workflow_names(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The workflows that begin like this, and files."""
    try:
        names = [script for script in _caller().library.scripts() if script.name.startswith(incomplete)]
    except MCOError:
        names = []
    files = [CompletionItem(incomplete, type="file")] if not names else []
    return [CompletionItem(script.name, help=script.origin) for script in names] + files


def run_ids(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The runs that begin like this, newest first."""
    try:
        records = _caller().runs.newest()
    except MCOError:
        return []
    return [
        CompletionItem(record.run_id, help=f"{record.workflow} {record.status}")
        for record in records
        if record.run_id.startswith(incomplete)
    ]


def _caller() -> Caller:
    """The shell asks without a command line of ours, so there is no caller yet."""
    return Caller(Path.cwd(), dict(os.environ), time.time, random.SystemRandom())
