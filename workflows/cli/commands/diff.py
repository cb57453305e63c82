"""`mco diff`: two runs side by side, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageError
from engine.text import clean_line
from workflows.cli import reasons
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import run_ids
from workflows.cli.figures import UNKNOWN, age, amount, count, duration
from workflows.cli.outlet import give, tell
from workflows.cli.past import history_of, open_run, short, tell_losses
from workflows.cli.report import echo_data
from workflows.cli.table import echo_table, stdout_width, wrapped

if TYPE_CHECKING:
    from engine.record.folder import RunFolder
    from engine.record.step_view import StepView
    from engine.step import Usage
    from workflows.why.difference import Difference, Pair
    from workflows.why.past import PastRun

_HEADINGS = ("STEP", "CHANGED", "TIME", "TOKENS", "COST")


@click.command("diff")
@click.argument("old", metavar="[RUN]", default="last", shell_complete=run_ids)
@click.argument("new", metavar="[RUN]", required=False, shell_complete=run_ids)
@click.option("--all", "everything", is_flag=True, help="Steps that are the same as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def diff_command(caller: Caller, *, old: str, new: str | None, everything: bool, as_json: bool) -> None:
    """Compare two runs, step by step.

    Steps are matched by label, the n-th of a label with the n-th. RUN is an id, the beginning of one, or `last`. One
    run is compared with the newest of the same workflow, and the newest with the one before it.
    """
    from workflows.why.difference import difference

    before = open_run(caller, old)
    after = open_run(caller, new or _newest_alike(caller, before))
    if new is None and before.run_id == after.run_id:
        before = open_run(caller, _one_before(caller, after))
    if before.run_id == after.run_id:
        raise UsageError(f"both are the run {before.run_id}", hint="name another one: `mco runs` lists them")
    found = difference(before, after, history_of(caller, after))
    if as_json:
        echo_data(json.dumps(_document(found), indent=2, ensure_ascii=False))
    else:
        _show(found, caller.clock(), everything=everything)
    tell_losses(before, after)


def _newest_alike(caller: Caller, run: PastRun) -> str:
    """The newest run of the same workflow: another one's steps would all be added or gone."""
    newest = caller.runs.find()
    folders = chain([newest.folder], caller.runs.before(newest.run_id))
    return next(_alike(folders, run), run.run_id)


def _one_before(caller: Caller, run: PastRun) -> str:
    """The run of the same workflow before this one. UsageError when there is none."""
    for run_id in _alike(caller.runs.before(run.run_id), run):
        return run_id
    raise UsageError(
        f"{run.run_id} is the only run of {clean_line(run.view.workflow, 60)!r} here",
        hint="name the other one: `mco runs` lists them",
    )


def _alike(folders: Iterable[RunFolder], run: PastRun) -> Iterator[str]:
    from workflows.runs import read_record

    return (folder.run_id for folder in folders if read_record(folder).workflow == run.view.workflow)


def _show(found: Difference, now: float, *, everything: bool) -> None:
    for line in wrapped([_run("old", found.old, now), _run("new", found.new, now)], stdout_width()):
        give(line)
    give("")
    shown = [pair for pair in found.pairs if everything or pair.changes]
    total = ("in all", "", *_figures(found.old.view.seconds, found.new.view.seconds, *_usages(found)))
    rows = [*(_row(pair) for pair in shown), total]
    kept = [place for place in range(len(_HEADINGS)) if any(row[place] for row in rows)]
    echo_table([_HEADINGS[place] for place in kept], [[row[place] for place in kept] for row in rows])
    give("")
    for line in wrapped(list(_facts(found)), stdout_width()):
        give(line)
    hidden = len(found.pairs) - len(shown)
    if hidden:
        tell(f"{count(hidden, 'step')} without a difference; --all shows them as well")


def _run(which: str, run: PastRun, now: float) -> tuple[str, ...]:
    since = age(max(0.0, now - run.view.started_at)) if run.view.started_at is not None else UNKNOWN
    return which, run.run_id, run.view.workflow, run.view.status, since


def _row(pair: Pair) -> tuple[str, ...]:
    return _name(pair), ", ".join(pair.changes) or "same", *_figures(*_seconds(pair), *_step_usages(pair))


def _name(pair: Pair) -> str:
    name = short(pair.name.text)
    return name if pair.name.occurrence == 1 else f"{name} ({pair.name.occurrence})"


def _seconds(pair: Pair) -> tuple[float | str | None, float | str | None]:
    return _time(pair.old), _time(pair.new)


def _time(step: StepView | None) -> float | str | None:
    if step is None:
        return None
    return "reused" if step.state == "reused" else step.seconds


def _step_usages(pair: Pair) -> tuple[Usage | None, Usage | None]:
    return pair.old and pair.old.usage, pair.new and pair.new.usage


def _usages(found: Difference) -> tuple[Usage, Usage]:
    return found.old.view.usage, found.new.view.usage


def _figures(
    old_time: float | str | None, new_time: float | str | None, old: Usage | None, new: Usage | None
) -> tuple[str, str, str]:
    times = [time if isinstance(time, str) else duration(time) for time in (old_time, new_time)]
    tokens = [amount(usage.tokens if usage else None) for usage in (old, new)]
    costs = [_cost(usage) for usage in (old, new)]
    return _side_by_side(times), _side_by_side(tokens), _side_by_side(costs)


def _cost(usage: Usage | None) -> str:
    return UNKNOWN if usage is None or usage.cost is None else f"${usage.cost:.2f}"


def _side_by_side(pair: Sequence[str]) -> str:
    """`1.2s → 0.4s`; nothing where neither is known."""
    return "" if set(pair) == {UNKNOWN} else " → ".join(pair)


def _facts(found: Difference) -> Iterator[tuple[str, str]]:
    words = {True: "changed", False: "the same", None: UNKNOWN}
    yield "script", words[found.script_changed]
    yield "arguments", words[found.args_changed]
    yield "result", words[found.result_changed]
    for pair in found.pairs:
        for change in pair.options:
            yield _name(pair), reasons.change_text(change)


def _document(found: Difference) -> dict[str, Any]:
    return {
        "old": _run_document(found.old),
        "new": _run_document(found.new),
        "script_changed": found.script_changed,
        "args_changed": found.args_changed,
        "result_changed": found.result_changed,
        "steps": [_pair_document(pair) for pair in found.pairs],
    }


def _run_document(run: PastRun) -> dict[str, Any]:
    view = run.view
    return {
        "run_id": run.run_id,
        "workflow": view.workflow,
        "status": view.status,
        "args": view.args,
        "seconds": view.seconds,
        "tokens": view.usage.tokens,
        "cost": view.usage.cost,
    }


def _pair_document(pair: Pair) -> dict[str, Any]:
    return {
        "label": pair.name.text,
        "occurrence": pair.name.occurrence,
        "changed": list(pair.changes),
        "options": [{"part": part, "from": old, "to": new} for part, old, new in pair.options],
        "old": _step_document(pair.old),
        "new": _step_document(pair.new),
    }


def _step_document(step: StepView | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "step": step.number,
        "state": step.state,
        "provider": step.provider,
        "seconds": step.seconds,
        "tokens": step.usage.tokens,
        "cost": step.usage.cost,
        "from_run": step.from_run,
    }
