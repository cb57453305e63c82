"""`mco cache`: what is kept of answers, whether it is sound, what may go, and how it is handed on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageError
from engine.text import clean_line
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import run_ids
from workflows.cli.figures import UNKNOWN, age, count, size, spending
from workflows.cli.report import echo_data
from workflows.cli.table import stdout_width, wrapped
from workflows.cli.upkeep import answers_folder

if TYPE_CHECKING:
    from engine.store.upkeep import Removed, Stats

_DAY = 86400.0
_MIB = 1024 * 1024
_SHOWN = 20
"""Problems that are listed for people."""


@click.group("cache")
def cache_command() -> None:
    """Look after the answers kept for this workspace.

    They lie in your cache folder, outside the workspace, and are found again by what was asked.
    """


@cache_command.command("stats")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def stats_command(caller: Caller, *, as_json: bool) -> None:
    """Say how many answers are kept, how old, and what they cost."""
    from engine.store.upkeep import stats

    folder = answers_folder(caller)
    found = stats(folder)
    if as_json:
        echo_data(json.dumps(_stats_document(found, folder), indent=2))
        return
    for line in wrapped(_stats_rows(found, folder, caller.clock()), stdout_width()):
        click.echo(line)


@cache_command.command("verify")
@click.option("--drop", is_flag=True, help="Delete what is not sound.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
@click.pass_context
def verify_command(context: click.Context, caller: Caller, *, drop: bool, as_json: bool) -> None:
    """Read every answer and check its key.

    The parts of a key are kept with the answer, and must make it. Exit code 1 when one does not, unless it was dropped.
    """
    from engine.store.upkeep import stats, verify

    folder = answers_folder(caller)
    problems = verify(folder, drop=drop)
    sound = stats(folder).answers
    if as_json:
        listed = [{"key": problem.key or None, "why": problem.why} for problem in problems]
        echo_data(json.dumps({"sound": sound, "dropped": drop, "problems": listed}, indent=2))
    else:
        click.echo(
            f"{count(sound, 'answer')} sound, {len(problems):,} not{', dropped' * (drop and bool(problems))}"
        )
        for problem in problems[:_SHOWN]:
            click.echo(
                f"  row {problem.number}  {problem.key[:12] or UNKNOWN}  {clean_line(problem.why, 200)}"
            )
        if len(problems) > _SHOWN:
            click.echo(f"  and {len(problems) - _SHOWN:,} more")
        if problems and not drop:
            click.echo(
                "hint: `mco cache verify --drop` deletes them, and their steps are asked again", err=True
            )
    context.exit(1 if problems and not drop else 0)


@cache_command.command("prune")
@click.option(
    "--older-than",
    type=click.FloatRange(0),
    metavar="DAYS",
    help="Those older than this. [default: expire_days]",
)
@click.option(
    "--max-size",
    type=click.FloatRange(0),
    metavar="MIB",
    help="The oldest, until so much is left. [default: cache_mb]",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and leave it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def prune_command(
    caller: Caller, *, older_than: float | None, max_size: float | None, dry_run: bool, as_json: bool
) -> None:
    """Delete old answers, and those beyond the size.

    What a run needs that has not ended well stays, so that it can be taken up again.
    """
    settings = caller.settings().settings
    days = settings.expire_days if older_than is None else older_than
    most = settings.cache_mb if max_size is None else max_size
    removed = _prune(caller, older_than=caller.clock() - days * _DAY, most=int(most * _MIB), pretend=dry_run)
    _tell_removed(removed, pretend=dry_run, as_json=as_json)


@cache_command.command("clear")
@click.option("--all", "everything", is_flag=True, help="Also what unfinished runs need.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def clear_command(caller: Caller, *, everything: bool, yes: bool, as_json: bool) -> None:
    """Delete all answers.

    Those stay that a run needs which has not ended well, unless --all is said.
    """
    if not yes:
        _ask_to_clear(caller)
    _tell_removed(_prune(caller, most=0, everything=everything), pretend=False, as_json=as_json)


@cache_command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--run", metavar="RUN", shell_complete=run_ids, help="Only the answers that this run used.")
@pass_caller
def export_command(caller: Caller, *, file: Path, run: str | None) -> None:
    """Write the answers into FILE, for a colleague or for CI."""
    from engine.store.exchange import export

    folder, target = answers_folder(caller), caller.folder / file
    if run is None:
        written = export(folder, target)
    else:
        from workflows.unfinished import answered

        keys = set(answered(caller.runs.find(run).folder))
        written = export(folder, target, wanted=keys.__contains__)
    click.echo(f"{count(written, 'answer')} written to {file}", err=True)


@cache_command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@pass_caller
def import_command(caller: Caller, *, file: Path) -> None:
    """Take in the answers of an exported FILE.

    Only take answers from people you trust: a run that finds one does not ask anybody else. What is here already
    stays as it is.
    """
    from engine.store.exchange import take_in

    taken = take_in(answers_folder(caller), caller.folder / file)
    click.echo(f"{count(taken.added, 'answer')} taken in, {taken.known:,} known before", err=True)


def _prune(caller: Caller, *, everything: bool = False, **what: Any) -> Removed:
    from engine.store.upkeep import Needed, prune
    from workflows.unfinished import needed

    return prune(
        answers_folder(caller), needed=lambda: Needed() if everything else needed(caller.runs), **what
    )


def _ask_to_clear(caller: Caller) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody can be asked whether the answers may go",
            why="standard input is no terminal",
            hint="say so with --yes",
        )
    click.confirm(
        f"Delete the answers kept for {clean_line(str(caller.places.workspace), 300)}?", abort=True, err=True
    )


def _tell_removed(removed: Removed, *, pretend: bool, as_json: bool) -> None:
    if as_json:
        echo_data(json.dumps({**removed._asdict(), "dry_run": pretend}, indent=2))
        return
    words = "would be deleted" if pretend else "deleted"
    kept = ""
    if number := removed.kept_for_runs:
        kept = f"; {count(number, 'answer')} {'stays' if number == 1 else 'stay'} for unfinished runs"
    click.echo(f"{count(removed.answers, 'answer')} ({size(removed.size)}) {words}{kept}")


def _stats_rows(found: Stats, folder: Path, now: float) -> list[tuple[str, str]]:
    providers = ", ".join(f"{name} {number:,}" for name, number in sorted(found.providers.items()))
    rows = [
        ("answers", f"{found.answers:,}"),
        ("size", f"{size(found.size)}, {size(found.on_disk)} on disk"),
        ("made", _made(found, now)),
        ("runs", f"{found.runs:,}"),
        ("providers", providers or UNKNOWN),
        ("cost once", spending(found.usage)),
        ("where", str(folder)),
    ]
    if found.unreadable:
        rows.insert(1, ("not sound", f"{found.unreadable:,}: see mco cache verify"))
    return rows


def _made(found: Stats, now: float) -> str:
    if found.oldest is None or found.newest is None:
        return UNKNOWN
    return f"{age(max(0.0, now - found.oldest))} to {age(max(0.0, now - found.newest))}"


def _stats_document(found: Stats, folder: Path) -> dict[str, Any]:
    return {
        **found._asdict(),
        "usage": {
            "input_tokens": found.usage.input_tokens,
            "cached_tokens": found.usage.cached_tokens,
            "output_tokens": found.usage.output_tokens,
            "reasoning_tokens": found.usage.reasoning_tokens,
            "cost": found.usage.cost,
        },
        "folder": str(folder),
    }
