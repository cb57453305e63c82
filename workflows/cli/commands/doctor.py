"""`mco doctor`: what works on this machine, found out by trying it."""

from __future__ import annotations

import json

import click

from workflows.cli.caller import Caller, pass_caller
from workflows.cli.report import echo_data
from workflows.cli.table import stdout_width, wrapped


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
@click.pass_context
def doctor_command(context: click.Context, caller: Caller, *, as_json: bool) -> None:
    """Say what works on this machine.

    Versions, the sandbox, providers, settings and folders: each is tried.
    Exit code 1 when something is broken that every run needs, 4 when no provider is ready.
    """
    from workflows.cli.diagnosis import diagnose

    found = diagnose(caller)
    if as_json:
        echo_data(json.dumps(found.document(), indent=2, ensure_ascii=False))
    else:
        width = stdout_width()
        for title, rows in found.sections():
            click.echo(title)
            for line in wrapped(rows, width and width - 2):
                click.echo(f"  {line}")
            click.echo()
    context.exit(found.exit_code)
