"""`mco resume`: the same workflow with the same arguments again; finished steps are found, the rest runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from engine.errors import UnknownWorkflow, UsageError
from engine.record.plain_file import read_plain
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import run_ids
from workflows.cli.options import ceiling_options, output_options, trust_option, untrusted_option
from workflows.cli.outlet import tell
from workflows.cli.report import refusals_shown
from workflows.cli.runner import Order, Output, carry_out
from workflows.cli.unfinished import decisions
from workflows.script import Script

if TYPE_CHECKING:
    from engine.step import Access, OnResume
    from workflows.runs import RunRecord

_WIDER: Mapping[Access, tuple[Access, ...]] = {"read": ("write", "full"), "write": ("full",), "full": ()}


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
    facts = _facts(record)
    reference = str(facts["reference"])
    _tell_narrower(caller, record, facts, flags)
    return Order(
        script=_script(caller, reference, record),
        reference=reference,
        args=cast("dict[str, Any]", facts["args"]),
        flags={
            "provider": _provider(facts),
            **{name: value for name, value in flags.items() if value is not None},
        },
        parent=record.run_id,
        output=output,
        plain=plain,
        untrusted=facts.get("untrusted") is True,  # it narrows, so it is taken over
    )


def _goes_on(record: RunRecord) -> UsageError:
    return UsageError(
        f"the run {record.run_id} still goes on", hint=f"watch it with: mco watch {record.run_id}"
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


def _facts(record: RunRecord) -> dict[str, Any]:
    """What was run. UsageError when the run no longer says."""
    path = record.folder.run_json
    try:
        facts: Any = json.loads(read_plain(path))
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from None
    if not isinstance(facts, dict):
        raise _unusable(path, "it is not a JSON object")
    known = cast("dict[str, Any]", facts)
    if not isinstance(known.get("reference"), str) or not isinstance(known.get("args"), dict):
        raise _unusable(path, "it does not say which workflow ran with which arguments")
    return known


def _provider(facts: dict[str, Any]) -> str | None:
    """The provider that the run was given: another one's answers would not be the same steps.

    Nothing else is taken over: a run's folder may have come with a cloned repository, and must not widen anything.
    """
    settings: Any = facts.get("settings")
    name = cast("dict[str, Any]", settings).get("provider") if isinstance(settings, dict) else None
    return name if isinstance(name, str) else None


def _tell_narrower(
    caller: Caller, record: RunRecord, facts: dict[str, Any], flags: Mapping[str, object]
) -> None:
    """Say when the run was allowed more: that is not taken over either, and steps that need it are refused."""
    settings: Any = facts.get("settings")
    before = cast("dict[str, Any]", settings).get("access") if isinstance(settings, dict) else None
    given = {name: value for name, value in flags.items() if value is not None}
    now = caller.settings(given).settings.access
    if before in _WIDER[now]:
        again = f"mco resume {record.run_id} --access {before}"
        tell(f"note: that run was allowed {before} access, this one {now}; to allow it again: {again}")


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


def _unusable(path: Path, why: str) -> UsageError:
    return UsageError(
        "the run cannot be taken up again",
        where=str(path),
        why=why,
        hint="start it anew with `mco run`: finished steps are reused all the same",
    )
