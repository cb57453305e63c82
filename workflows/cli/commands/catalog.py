"""`mco list` and `mco show`: which workflows there are, and what one of them says of itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from engine.errors import MCOError, ScriptRefused, UsageError
from engine.json_value import is_list, is_object
from engine.text import clean_line
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import workflow_names
from workflows.cli.figures import count
from workflows.cli.loading import look_at
from workflows.cli.report import describe_error, echo_data
from workflows.cli.table import echo_table, stdout_width, wrapped
from workflows.inspection import Inspected
from workflows.script import Meta


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def list_command(caller: Caller, *, as_json: bool) -> None:
    """List the workflows that can be run by name here."""
    found = look_at(caller.library.scripts())
    if as_json:
        echo_data(json.dumps([_listed(one) for one in found], indent=2, ensure_ascii=False))
    elif not found:
        click.echo("There are no workflows here yet. Make one with: mco new NAME", err=True)
    else:
        echo_table(("NAME", "WHERE", "DESCRIPTION"), [_row(one) for one in found])


@click.command("show")
@click.argument("workflow", metavar="NAME|FILE", shell_complete=workflow_names)
@click.option("--source", is_flag=True, help="The script's text and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def show_command(caller: Caller, *, workflow: str, source: bool, as_json: bool) -> None:
    """Show what a workflow does, takes, and where it is."""
    script = caller.library.find(workflow, caller.folder)
    if source:
        text = script.read()
        if sys.stdout.isatty():  # who looks before running a stranger's script must see what is there
            echo_data(text.decode("utf-8", "replace").rstrip("\n"))
        else:
            click.echo(text, nl=False)
        return
    (inspected,) = look_at([script])
    if inspected.meta is None:
        raise inspected.error or UsageError("the script cannot be loaded", where=str(script.path))
    if as_json:
        echo_data(json.dumps(_listed(inspected), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_page(inspected, inspected.meta, workflow)))


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


def _listed(one: Inspected) -> dict[str, Any]:
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


def _page(one: Inspected, meta: Meta, reference: str) -> list[str]:
    script = one.script
    lines = [
        *wrapped([(f"{script.name}: {meta.description}",)], stdout_width()),
        "",
        f"where: {clean_line(str(script.path))} ({script.origin})",
    ]
    lines += [f"hides: {_hidden(path)}" for path in script.shadows]
    if meta.phases:
        lines += ["", "phases:"]
        lines += _indented([(phase.title, phase.detail) for phase in meta.phases])
    lines += ["", *_arguments(meta), "", f"run it with: mco run {clean_line(reference)}{_example(meta)}"]
    return lines


def _hidden(path: Path) -> str:
    return clean_line(str(path))


def _arguments(meta: Meta) -> list[str]:
    if meta.args is None:
        return ["arguments: any"]
    properties = meta.args.get("properties")
    if not is_object(properties) or not properties:
        return ["arguments: none"]
    required = _required(meta)
    rows = [_argument(name, schema, required=name in required) for name, schema in properties.items()]
    return [f"arguments ({count(len(rows), 'name')}):", *_indented(rows)]


def _indented(rows: Sequence[Sequence[str]]) -> list[str]:
    width = stdout_width()
    return [f"  {line}" for line in wrapped(rows, width and width - 2)]


def _required(meta: Meta) -> list[Any]:
    required = meta.args.get("required") if meta.args else None
    return required if is_list(required) else []


def _argument(name: str, schema: Any, *, required: bool) -> tuple[str, str, str, str]:
    described: Mapping[str, Any] = schema if is_object(schema) else {}
    kind = described.get("type", "any")
    kinds = " or ".join(map(str, kind)) if is_list(kind) else str(kind)
    if "default" in described:
        presence = f"default {json.dumps(described['default'], ensure_ascii=False)}"
    else:
        presence = "required" if required else "optional"
    return name, kinds, presence, str(described.get("description", ""))


def _example(meta: Meta) -> str:
    return "".join(f" -a {clean_line(str(name), 40)}=…" for name in _required(meta))
