"""`mco check`: everything that is wrong with scripts, or will not work as meant, without running them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import click

from engine.errors import MCOError, Problem, ScriptRefused, UsageError
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import workflow_names
from workflows.cli.failure import describe_problem
from workflows.cli.figures import count
from workflows.cli.loading import look_at
from workflows.cli.report import echo_data
from workflows.inspection import Inspected
from workflows.script import Script

_COLOURS = {"error": "red", "warning": "yellow"}


class _Checked(NamedTuple):
    """One script, and what was found in it."""

    script: Script
    problems: list[Problem]
    warnings: Sequence[Problem]
    exit_code: int


@click.command("check")
@click.argument("workflows", metavar="[NAME|FILE]...", nargs=-1, shell_complete=workflow_names)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
@click.pass_context
def check_command(
    context: click.Context, caller: Caller, *, workflows: tuple[str, ...], as_json: bool
) -> None:
    """Check scripts without running them; without a name, all of this project.

    Shows all problems at once, each with its line and the way out; then warnings, of what will not work as meant.
    Exit code 2 when there are problems; warnings alone leave it 0.
    """
    checked = [_checked(one) for one in look_at(_scripts(caller, workflows), advise=True)]
    if as_json:
        echo_data(json.dumps(_document(checked), indent=2, ensure_ascii=False))
    else:
        for one in checked:
            _show(one, coloured=_coloured(caller))
    context.exit(max(one.exit_code for one in checked))


def _scripts(caller: Caller, names: tuple[str, ...]) -> list[Script]:
    """The named scripts, each once, or those of the project. UsageError when there is none."""
    if names:
        found = [caller.library.find(name, caller.folder) for name in names]
        return list({script.path: script for script in found}.values())
    own = [script for script in caller.library.scripts() if script.origin == "project"]
    if not own:
        raise UsageError(
            "there is nothing to check",
            where=str(caller.places.project_workflows),
            why="this project has no workflows of its own",
            hint="name a workflow or a file: mco check NAME",
        )
    return own


def _checked(one: Inspected) -> _Checked:
    problems = _problems(one)
    code = one.error.exit_code if one.error else ScriptRefused.exit_code if problems else 0
    return _Checked(one.script, problems, one.warnings, code)


def _problems(one: Inspected) -> list[Problem]:
    """What the worker refused, an `args` that is no schema, or why the script could not be looked at."""
    if isinstance(one.error, ScriptRefused):
        return one.error.problems
    if isinstance(one.error, MCOError):
        what = f"{one.error.what}: {one.error.why}" if one.error.why else one.error.what
        return [Problem(0, 0, what, one.error.hint)]
    return _schema_problems(one)


def _schema_problems(one: Inspected) -> list[Problem]:
    from engine.schema import Schema, SchemaRefused

    if one.meta is None or one.meta.args is None:
        return []
    try:
        Schema(one.meta.args)
    except SchemaRefused as error:
        return [Problem(0, 0, f"meta's `args` is no schema: {error}", "it is a JSON Schema of an object")]
    return []


def _show(one: _Checked, *, coloured: bool) -> None:
    where = str(one.script.path)
    for word, found in (("error", one.problems), ("warning", one.warnings)):
        shown = click.style(word, fg=_COLOURS[word], bold=True) if coloured else word
        for problem in found:
            click.echo("\n".join(describe_problem(where, problem, shown)) + "\n")
    amounts = [count(len(one.problems), "problem") if one.problems else "no problems"]
    amounts += [count(len(one.warnings), "warning")] if one.warnings else []
    click.echo(f"{where}: {', '.join(amounts)}", err=True)


def _coloured(caller: Caller) -> bool:
    quiet = caller.environment.get("NO_COLOR") or caller.environment.get("TERM") == "dumb"
    return sys.stdout.isatty() and not quiet


def _document(checked: Sequence[_Checked]) -> dict[str, Any]:
    """One shape for one script and for many: each problem names its file."""
    return {
        "scripts": [{"name": one.script.name, "path": str(one.script.path)} for one in checked],
        "problems": [entry for one in checked for entry in _entries(one.script, one.problems)],
        "warnings": [entry for one in checked for entry in _entries(one.script, one.warnings)],
    }


def _entries(script: Script, found: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "path": str(script.path),
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "hint": problem.hint,
            "source": problem.source,
        }
        for problem in found
    ]
