"""`mco list`: which workflows there are, and what each says of itself."""

from __future__ import annotations

import json
from typing import Any

import click

from engine.errors import MCOError, ScriptRefused
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.loading import look_at
from workflows.cli.report import describe_error, echo_data
from workflows.cli.table import echo_table
from workflows.inspection import Inspected


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def list_command(caller: Caller, *, as_json: bool) -> None:
    """List the workflows that can be run by name here."""
    found = look_at(caller.library.scripts())
    if as_json:
        echo_data(json.dumps([listed(one) for one in found], indent=2, ensure_ascii=False))
    elif not found:
        click.echo("There are no workflows here yet. Make one with: mco new NAME", err=True)
    else:
        echo_table(("NAME", "WHERE", "DESCRIPTION"), [_row(one) for one in found])


def _row(one: Inspected) -> tuple[str, str, str]:
    hidden = f" (hides {len(one.script.shadows)} of this name)" if one.script.shadows else ""
    said = one.meta.description if one.meta is not None else f"broken: {first_problem(one.error)}"
    return one.script.name, one.script.origin + hidden, said


def first_problem(error: MCOError | None) -> str:
    """The first thing that is wrong with a script, in one line."""
    if isinstance(error, ScriptRefused) and error.problems:
        first = error.problems[0]
        return f"line {first.line}: {first.message}" if first.line else first.message
    return error.what if error is not None else ""


def listed(one: Inspected) -> dict[str, Any]:
    """A workflow as JSON."""
    script, meta = one.script, one.meta
    return {
        "name": script.name,
        "origin": script.origin,
        "path": str(script.path),
        "shadows": [str(path) for path in script.shadows],
        "description": meta.description if meta else None,
        "phases": [{"title": phase.title, "detail": phase.detail} for phase in meta.phases] if meta else [],
        "args": meta.args if meta else None,
        "error": describe_error(one.error) if one.error else None,
    }
