"""`mco runs`: the runs of this workspace, newest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from workflows.cli.caller import Caller, pass_caller
from workflows.cli.figures import UNKNOWN, age, amount, count, duration
from workflows.cli.report import echo_data
from workflows.cli.table import echo_table

if TYPE_CHECKING:
    from workflows.runs import RunRecord


@click.command("runs")
@click.option(
    "-n", "--number", type=click.IntRange(1), default=20, metavar="N", help="How many. [default: 20]"
)
@click.option("--json", "as_json", is_flag=True, help="All of them, as one JSON document.")
@pass_caller
def runs_command(caller: Caller, *, number: int, as_json: bool) -> None:
    """List the runs of this workspace, newest first."""
    if as_json:
        documents = [_document(record) for record in caller.runs.newest()]
        echo_data(json.dumps(documents, indent=2, ensure_ascii=False))
        return
    records = caller.runs.newest(number)
    if not records:
        click.echo("There are no runs here yet. Start one with: mco run NAME", err=True)
        return
    now = caller.clock()
    rows = [_row(record, now) for record in records]
    echo_table(("RUN", "WORKFLOW", "STATUS", "STARTED", "TOOK", "TOKENS", ""), rows)
    left = caller.runs.count() - len(records)
    if left:
        click.echo(f"and {count(left, 'older run')}: mco runs -n {left + len(records)}", err=True)


def _row(record: RunRecord, now: float) -> tuple[str, ...]:
    remark = "; ".join(part for part in (_resumed(record), record.damage) if part)
    return (
        record.run_id,
        record.workflow or UNKNOWN,
        record.status,
        age(max(0.0, now - record.started_at)) if record.started_at is not None else UNKNOWN,
        duration(record.seconds),
        amount(record.tokens),
        remark,
    )


def _resumed(record: RunRecord) -> str:
    return f"resumes {record.parent}" if record.parent else ""


def _document(record: RunRecord) -> dict[str, Any]:
    return {
        "run_id": record.run_id,
        "workflow": record.workflow or None,
        "status": record.status,
        "started_at": record.started_at,
        "seconds": record.seconds,
        "usage": record.usage.model_dump(),
        "args": record.args,
        "parent": record.parent,
        "damage": record.damage or None,
        "folder": str(record.folder.path),
    }
