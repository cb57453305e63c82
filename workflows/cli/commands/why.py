"""`mco why`: for each step of a run whether it was reused or ran, and what of it had changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from engine.errors import MCOError, UsageError
from engine.text import clean_columns, clean_line
from workflows.cli import reasons
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.colour import difference_line, is_welcome
from workflows.cli.completion import run_ids
from workflows.cli.figures import age, count
from workflows.cli.outlet import give, tell
from workflows.cli.past import history_of, open_run, tell_losses
from workflows.cli.report import echo_data
from workflows.cli.table import stdout_width, wrapped

if TYPE_CHECKING:
    from workflows.why.account import Account, Entry
    from workflows.why.past import PastRun

_OFFERED = 5


@click.command("why")
@click.argument("run", required=False, default="last", shell_complete=run_ids)
@click.argument("step", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def why_command(caller: Caller, *, run: str, step: str | None, as_json: bool) -> None:
    """Say why the steps of a run ran, or were reused.

    Each step that ran is compared with the nearest earlier one: of the same label, else of the same prompt, in the run
    that was resumed or else the newest run of the same workflow. The first thing that differs is the reason.

    RUN is an id, the beginning of one, or `last`, which is the default. STEP is a number, a label or the beginning of
    one; with it the change of the prompt is shown, line by line.
    """
    from workflows.why.account import account
    from workflows.why.files import files_between

    past = _open(caller, run, step)
    numbers = None if step is None else _numbers(past, step)
    found = account(
        past,
        history_of(caller, past),
        files_between(caller.places.state),
        numbers=numbers,
        with_prompts=step is not None,
    )
    if as_json:
        echo_data(json.dumps(reasons.document(found), indent=2, ensure_ascii=False))
    elif step is None:
        _show_all(found)
    else:
        _show_some(found, caller)
    tell_losses(past)


def _open(caller: Caller, run: str, step: str | None) -> PastRun:
    """The run; somebody who named only a step of the newest one is told how to."""
    try:
        return open_run(caller, run)
    except UsageError as error:
        with suppress(MCOError):
            if step is None and _numbers(open_run(caller, "last"), run):
                from shlex import quote  # only a mistake pays for it

                error.hint = f"the newest run has a step of that name: mco why last {quote(run)}"
        raise


def _numbers(run: PastRun, asked: str) -> list[int]:
    """The steps that somebody means. UsageError with the nearest labels when there are none."""
    if asked.isdecimal() and len(asked) < 10 and int(asked) in run.view.steps:
        return [int(asked)]
    labels = {number: name.text for number, name in run.labels.items()}
    exact = [number for number, label in labels.items() if label == asked]
    begun = sorted({label for label in labels.values() if asked and label.startswith(asked)})
    if exact or len(begun) == 1:
        return exact or [number for number, label in labels.items() if label == begun[0]]
    raise _no_step(run, asked, begun or _near(asked, set(labels.values())))


def _near(asked: str, labels: set[str]) -> list[str]:
    from difflib import get_close_matches  # only a mistake pays for it

    return get_close_matches(asked[:100], sorted(label[:100] for label in labels), _OFFERED, 0.5)


def _no_step(run: PastRun, asked: str, offered: list[str]) -> UsageError:
    named = ", ".join(repr(clean_line(label, 60)) for label in offered[:_OFFERED])
    several = len(offered) > 1 and all(label.startswith(asked) for label in offered)
    return UsageError(
        f"several steps begin with {asked!r}" if several else f"the run has no step {asked!r}",
        where=run.run_id,
        hint=f"there is {named}" if named else f"mco why {run.run_id} lists its steps",
    )


def _show_all(found: Account) -> None:
    if not found.entries:
        tell(f"the run {found.run.run_id} has no steps")
        return
    for line in wrapped([("STEP", "", "", "WHY"), *reasons.table(found)], stdout_width()):
        give(line)
    if any(entry.reason.kind in ("prompt", "upstream") for entry in found.entries):
        tell(f"the change of a prompt, line by line: mco why {found.run.run_id} STEP")


def _show_some(found: Account, caller: Caller) -> None:
    coloured = is_welcome(caller.environment)
    for number, entry in enumerate(found.entries):
        if number:
            give("")
        for line in _page(found, entry, caller.clock()):
            give(difference_line(line, coloured=coloured))


def _page(found: Account, entry: Entry, now: float) -> Iterator[str]:
    step, earlier = entry.step, entry.earlier
    yield from wrapped(
        [
            (
                f"step {step.number} of {found.run.run_id}, {step.label}: {reasons.outcome(step, found.run.view)}",
            )
        ],
        stdout_width(),
    )
    rows = [("why", reasons.why(entry, complete=found.complete))]
    if earlier is not None:
        since = f" ({age(max(0.0, now - earlier.at))})" if earlier.at is not None else ""
        rows.append(("compared with", f"step {earlier.step} of {earlier.run_id}{since}"))
    if entry.reason.files is not None and entry.reason.files.known:
        files = entry.reason.files
        for word, names in (("changed", files.changed), ("added", files.added), ("removed", files.removed)):
            rows += [(word, name) for name in names]
        rows += [("more", count(files.more, "file"))] if files.more else []
    width = stdout_width()
    yield from (f"  {line}" for line in wrapped(rows, width and width - 2))
    if entry.prompt is not None:
        yield ""
        yield f"prompt: {count(entry.prompt.added, 'line')} added, {entry.prompt.removed:,} removed"
        yield from (clean_columns(line.replace("\t", "    ")) for line in entry.prompt.lines)
        if entry.prompt.left_out:
            yield f"({entry.prompt.left_out})"
