"""`mco review`: several providers review the same code, and one decision comes of it."""

from __future__ import annotations

import click

from workflows.cli.caller import Caller, pass_caller
from workflows.cli.options import ceiling_options, output_options, untrusted_option
from workflows.cli.report import refusals_shown
from workflows.cli.review_options import ReviewFlags, review_options
from workflows.cli.runner import Output, carry_out


@click.command("review")
@review_options(review=True)
@click.option("--fresh", is_flag=True, help="Ask again, even where an answer is kept.")
@untrusted_option
@ceiling_options
@output_options
@pass_caller
@click.pass_context
def review_command(
    context: click.Context,
    caller: Caller,
    *,
    asked: ReviewFlags,
    output: Output,
    plain: bool,
    fresh: bool,
    untrusted: bool,
    **flags: object,
) -> None:
    """Review code with several providers at once.

    Findings are merged, and one decision is made: FAIL (something critical), ESCALATE (something grave: a person
    has to decide), INCONCLUSIVE (no review was given), PARTIAL (some were not), else PASS. Exit codes: 0 PASS,
    1 FAIL or ESCALATE, 3 PARTIAL or INCONCLUSIVE; otherwise as `mco run`.
    """
    with refusals_shown("review", output):
        from workflows.cli.reviewing import Common, order_of  # pydantic comes with it

        order = order_of("review", asked, Common(output, plain, fresh, untrusted, flags), caller)
    context.exit(carry_out(order, caller))
