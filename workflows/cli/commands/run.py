"""`mco run`: run a workflow and follow it."""

from __future__ import annotations

import click

from workflows.cli.arguments import read_args_file, read_texts
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import workflow_names
from workflows.cli.options import ceiling_options, output_options, trust_option, untrusted_option
from workflows.cli.report import refusals_shown
from workflows.cli.runner import Order, Output, carry_out


@click.command("run")
@click.argument("workflow", metavar="NAME|FILE", shell_complete=workflow_names)
@click.option("-a", "--arg", "texts", multiple=True, metavar="KEY=VALUE", help="An argument of the workflow.")
@click.option("--args-file", metavar="FILE", help="Arguments as a JSON object; - reads stdin.")
@click.option("--fresh", is_flag=True, help="Ask again, even where an answer is kept.")
@trust_option
@untrusted_option
@ceiling_options
@output_options
@pass_caller
@click.pass_context
def run_command(
    context: click.Context,
    caller: Caller,
    *,
    workflow: str,
    texts: tuple[str, ...],
    args_file: str | None,
    fresh: bool,
    trust: bool,
    untrusted: bool,
    output: Output,
    plain: bool,
    **flags: object,
) -> None:
    """Run a workflow and follow it.

    It is named, or a script FILE. The report (or the result) goes to stdout, everything else to stderr.
    Steps that were answered before are reused. Exit codes: 0 done, 1 failed, 2 refused, 3 done in part,
    4 no provider, 5 ceiling reached, 130 stopped.
    """
    with refusals_shown(workflow, output):
        order = Order(
            script=caller.library.find(workflow, caller.folder),
            reference=workflow,
            args=read_args_file(args_file, caller.folder),
            texts=read_texts(texts),
            flags=flags,
            fresh=fresh,
            output=output,
            plain=plain,
            trust=trust,
            untrusted=untrusted,
        )
    context.exit(carry_out(order, caller))
