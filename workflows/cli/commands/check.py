"""`mco check`: everything that is wrong with a script, without running it."""

from __future__ import annotations

import json

import click

from engine.errors import MCOError, Problem, ScriptRefused
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import workflow_names
from workflows.cli.failure import describe_problem
from workflows.cli.figures import count
from workflows.cli.loading import look_at
from workflows.cli.report import echo_data
from workflows.inspection import Inspected


@click.command("check")
@click.argument("workflow", metavar="NAME|FILE", shell_complete=workflow_names)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
@click.pass_context
def check_command(context: click.Context, caller: Caller, *, workflow: str, as_json: bool) -> None:
    """Check a script without running it.

    Shows all problems at once, each with its line and the way out. Exit code 2 when there are any.
    """
    script = caller.library.find(workflow, caller.folder)
    (inspected,) = look_at([script])
    problems = _problems(inspected)
    where = str(script.path)
    if as_json:
        echo_data(json.dumps(_document(where, problems), indent=2, ensure_ascii=False))
    elif problems:
        for problem in problems:
            click.echo("\n".join(describe_problem(where, problem)) + "\n")
        click.echo(count(len(problems), "problem"), err=True)
    else:
        click.echo(f"{where}: no problems", err=True)
    context.exit(ScriptRefused.exit_code if problems else 0)


def _problems(inspected: Inspected) -> list[Problem]:
    """What the worker refused, and an `args` that is no schema. Other errors are not about the script's text."""
    if isinstance(inspected.error, ScriptRefused):
        return inspected.error.problems
    if isinstance(inspected.error, MCOError):
        raise inspected.error
    return _schema_problems(inspected)


def _schema_problems(inspected: Inspected) -> list[Problem]:
    from engine.schema import Schema, SchemaRefused

    if inspected.meta is None or inspected.meta.args is None:
        return []
    try:
        Schema(inspected.meta.args)
    except SchemaRefused as error:
        return [Problem(0, 0, f"meta's `args` is no schema: {error}", "it is a JSON Schema of an object")]
    return []


def _document(where: str, problems: list[Problem]) -> dict[str, object]:
    return {
        "path": where,
        "problems": [
            {"line": p.line, "column": p.column, "message": p.message, "hint": p.hint, "source": p.source}
            for p in problems
        ],
    }
