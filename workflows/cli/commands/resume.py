"""`mco resume`: the same workflow with the same arguments again; finished steps are found, the rest runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from engine.errors import UnknownWorkflow, UsageError
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import run_ids
from workflows.cli.earlier import Earlier
from workflows.cli.options import ceiling_options, output_options, trust_option, untrusted_option
from workflows.cli.outlet import tell
from workflows.cli.report import refusals_shown
from workflows.cli.runner import Order, Output, carry_out
from workflows.cli.unfinished import decisions
from workflows.script import Script

if TYPE_CHECKING:
    from engine.step import OnResume
    from workflows.runs import RunRecord


@click.command("resume")
@click.argument("run", required=False, shell_complete=run_ids)
@click.option(
    "--on-resume",
    type=click.Choice(["rerun", "skip", "halt"]),
    help="What becomes of steps that were changing files when the run was cut off. [default: ask]",
)
@trust_option
@untrusted_option
@ceiling_options
@output_options
@pass_caller
@click.pass_context
def resume_command(
    context: click.Context,
    caller: Caller,
    *,
    run: str | None,
    on_resume: OnResume | None,
    trust: bool,
    untrusted: bool,
    output: Output,
    plain: bool,
    **flags: object,
) -> None:
    """Take a run up again where it stopped.

    Same workflow, same arguments, same provider; the script as it is now.
    Steps that were finished are reused; what failed, was stopped or was edited runs. RUN is an id, the
    beginning of one, or `last`; without it the newest run is taken that did not end well.
    """
    with refusals_shown(None, output):
        order = _order(caller, run, flags, output=output, plain=plain)
        order = order._replace(trust=trust, untrusted=untrusted or order.untrusted)
        order = order._replace(on_resume=decisions(caller, str(order.parent), on_resume))
    context.exit(carry_out(order, caller))


def _order(
    caller: Caller, run: str | None, flags: Mapping[str, object], *, output: Output, plain: bool
) -> Order:
    record = _newest_unfinished(caller) if run is None else caller.runs.find(run)
    if record.status == "running":
        raise _goes_on(record)
    given = {name: value for name, value in flags.items() if value is not None}
    earlier = Earlier.of(record)
    allowed = caller.settings(given).settings
    earlier.tell_wider_access(allowed.access)
    return Order(
        script=_script(caller, earlier.reference, record),
        reference=earlier.reference,
        args=earlier.args,
        flags={"provider": earlier.provider, **earlier.ceilings(allowed, given), **given},
        parent=record.run_id,
        output=output,
        plain=plain,
        untrusted=earlier.untrusted,
        finish=earlier.finish(),
    )


def _goes_on(record: RunRecord) -> UsageError:
    from engine.record.lock import holder

    process = holder(record.folder.lock)  # None when it has just ended
    return UsageError(
        f"the run {record.run_id} still goes on" + (f" in process {process}" if process else ""),
        hint=f"watch it with: mco watch {record.run_id}",
    )


def _newest_unfinished(caller: Caller) -> RunRecord:
    from workflows.unfinished import unfinished

    left = list(unfinished(caller.runs))
    for record in left:
        if record.status != "running":
            tell(f"taking up {record.run_id} ({record.workflow}, {record.status})")
            return record
    if left:
        raise _goes_on(left[0])
    newest = caller.runs.find()  # UsageError when there is none at all
    raise UsageError(
        "no run here is left unfinished",
        hint=f"name one to run it again: mco resume {newest.run_id}; `mco runs` lists them",
    )


def _script(caller: Caller, reference: str, record: RunRecord) -> Script:
    try:
        script = caller.library.find(reference, caller.folder)
    except UnknownWorkflow as error:
        raise _gone(error, record) from None
    if not script.path.exists():
        raise _gone(UsageError("the script is no longer there", where=str(script.path)), record)
    return script


def _gone(error: UsageError, record: RunRecord) -> UsageError:
    kept = record.folder.script
    error.hint = f"the text that ran is kept, and can be run: mco run {kept}"
    return error
