"""`mco show`: what a workflow does and takes, or the whole story of a run."""

from __future__ import annotations

import json
import re
import sys

import click
from click.shell_completion import CompletionItem

from engine.errors import UnknownWorkflow, UsageError
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.commands.catalog import listed
from workflows.cli.completion import run_ids, workflow_names
from workflows.cli.loading import look_at
from workflows.cli.options import FORMATS
from workflows.cli.report import echo_data
from workflows.cli.workflow_page import page_lines
from workflows.script import Script

_RUN = re.compile(r"last|\d{1,8}|\d{8}-\d{0,6}|\d{8}-\d{6}-[0-9a-f]{0,4}")
"""What names a run, or begins the name of one."""


def _names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    workflows = workflow_names(context, parameter, incomplete)
    return [*workflows, *run_ids(context, parameter, incomplete)] if incomplete[:1].isdigit() else workflows


@click.command("show")
@click.argument("name", metavar="NAME|FILE|RUN", shell_complete=_names)
@click.option("--source", is_flag=True, help="The script's text and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option(
    "--format", "findings_format", type=click.Choice(FORMATS), help="The findings of a run, for others."
)
@pass_caller
def show_command(
    caller: Caller, *, name: str, source: bool, as_json: bool, findings_format: str | None
) -> None:
    """Show what a workflow does and takes, or the whole story of a run.

    RUN is an id, the beginning of one, or `last`. A workflow of that name comes first: no id is ever hidden by one
    unless somebody called a script like a run.
    """
    given = {"--source": source, "--json": as_json, "--format": findings_format}
    wanted = [option for option, value in given.items() if value]
    if len(wanted) > 1:
        raise UsageError(f"{' and '.join(wanted)} both want stdout", hint="choose one of them")
    script = _workflow(caller, name)
    if script is None:
        _show_run(caller, name, source=source, as_json=as_json, findings_format=findings_format)
    elif findings_format is not None:
        raise UsageError(
            "a workflow has no findings, only its runs do", hint="name a run: `mco runs` lists them"
        )
    elif source:
        _show_source(script.read())
    else:
        _show_workflow(script, name, as_json=as_json)


def _workflow(caller: Caller, name: str) -> Script | None:
    """The workflow of that name, or None where a run is meant. UnknownWorkflow where it can be neither."""
    try:
        return caller.library.find(name, caller.folder)
    except UnknownWorkflow:
        if not _RUN.fullmatch(name):
            raise
        return None


def _show_source(text: bytes) -> None:
    if sys.stdout.isatty():  # who looks before running a stranger's script must see what is there
        echo_data(text.decode("utf-8", "replace").rstrip("\n"))
    else:
        click.echo(text, nl=False)


def _show_workflow(script: Script, name: str, *, as_json: bool) -> None:
    (inspected,) = look_at([script])
    if inspected.meta is None:
        raise inspected.error or UsageError("the script cannot be loaded", where=str(script.path))
    if as_json:
        echo_data(json.dumps(listed(inspected), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(page_lines(inspected, inspected.meta, name)))


def _show_run(caller: Caller, name: str, *, source: bool, as_json: bool, findings_format: str | None) -> None:
    from workflows.cli.past import history_of, open_run
    from workflows.cli.story import Story

    if findings_format is not None:
        from workflows.cli.findings import echo_kept_findings

        echo_kept_findings(findings_format, caller.runs.find(name), caller.places.workspace)
        return
    run = open_run(caller, name)
    if source:
        _show_source(Script(run.view.workflow, run.folder.script, "file").read())
        return
    story = Story.of(run, history_of(caller, run), caller)
    if as_json:
        echo_data(json.dumps(story.document(), indent=2, ensure_ascii=False))
    else:
        story.show()
