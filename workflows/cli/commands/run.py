"""`mco run`: run a workflow, or a prompt at several providers, and follow it."""

from __future__ import annotations

import click

from engine.errors import UsageError
from workflows.cli.arguments import read_args_file, read_texts
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import workflow_names
from workflows.cli.options import ceiling_options, output_options, trust_option, untrusted_option
from workflows.cli.report import refusals_shown
from workflows.cli.review_options import ReviewFlags, review_options
from workflows.cli.runner import Order, Output, carry_out
from workflows.cli.sections import SectionedCommand
from workflows.cli.stage_options import StageFlags, stage_options


@click.command("run", cls=SectionedCommand)
@click.argument("workflow", metavar="[NAME|FILE]", required=False, shell_complete=workflow_names)
@click.option("-a", "--arg", "texts", multiple=True, metavar="KEY=VALUE", help="An argument of the workflow.")
@click.option("--args-file", metavar="FILE", help="Arguments as a JSON object; - reads stdin.")
@click.option("--fresh", is_flag=True, help="Ask again, even where an answer is kept.")
@trust_option
@untrusted_option
@ceiling_options
@output_options
@stage_options
@review_options(review=False)
@pass_caller
@click.pass_context
def run_command(
    context: click.Context,
    caller: Caller,
    *,
    workflow: str | None,
    asked: ReviewFlags,
    stage: StageFlags,
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

    It is named, or a script FILE; with --prompt there is none, and all of --providers are asked the same. The report
    (or the result) goes to stdout, everything else to stderr. Steps that were answered before are reused. Exit codes:
    0 done, 1 failed, 2 refused, 3 done in part, 4 no provider, 5 ceiling reached, 130 stopped.
    """
    with refusals_shown(workflow, output):
        stage.check(fresh=fresh, output=output, flags=flags)
        if asked.asks:
            _check_alone(workflow, texts, args_file, watch=stage.watch)
            from workflows.cli.reviewing import Common, order_of  # a workflow has no need of it

            if stage.dry_run:  # what nobody answered is kept nowhere
                asked = asked._replace(result_mode="stdout")
            order = order_of("ask", asked, Common(output, plain, fresh, untrusted, flags), caller)
        else:
            name = _named(workflow, asked)
            order = Order(
                script=caller.library.find(name, caller.folder),
                reference=name,
                args=read_args_file(args_file, caller.folder),
                texts=read_texts(texts),
                flags=flags,
                fresh=fresh,
                output=output,
                plain=plain,
                trust=trust,
                untrusted=untrusted,
            )
        order = order._replace(stage=stage.stage(caller))
    if stage.watch:
        from workflows.cli.watching import keep_running  # who runs once does not watch files

        context.exit(keep_running(order, caller))
    context.exit(carry_out(order, caller))


def _named(workflow: str | None, asked: ReviewFlags) -> str:
    """The workflow, where there is no prompt."""
    asked.check_unused()
    if workflow is None:
        raise UsageError(
            "there is nothing to run",
            hint='name a workflow (`mco list` shows them), or ask with --prompt "…" --providers claude,codex',
        )
    return workflow


def _check_alone(workflow: str | None, texts: tuple[str, ...], args_file: str | None, *, watch: bool) -> None:
    """UsageError when a prompt comes with what belongs to a workflow."""
    if workflow is not None:
        raise UsageError(
            f"{workflow!r} and --prompt both say what to run",
            hint="leave one of them out; a workflow takes its arguments with -a key=value",
        )
    if texts or args_file:
        raise UsageError("-a and --args-file are for a workflow, and with --prompt there is none")
    if watch:
        raise UsageError("--watch waits for a script to be saved, and with --prompt there is none")
