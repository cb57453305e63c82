"""`mco watch`: follow a run that goes on elsewhere, or see a finished one again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from engine.text import clean_block
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import run_ids

if TYPE_CHECKING:
    from engine.record.view import RunView
    from workflows.runs import RunRecord


@click.command("watch")
@click.argument("run", required=False, shell_complete=run_ids)
@click.option("--plain", is_flag=True, help="Plain lines instead of the live view.")
@click.option("--stream", type=click.Choice(["jsonl"]), help="Every event on stdout, as JSON lines.")
@pass_caller
@click.pass_context
def watch_command(
    context: click.Context, caller: Caller, *, run: str | None, plain: bool, stream: str | None
) -> None:
    """Follow a run from another terminal.

    RUN is an id, the beginning of one, or `last`, which is the default. A finished one is replayed.

    Leaving with Ctrl-C does not stop the run.
    """
    import anyio

    record = caller.runs.find(run) if run else caller.runs.find()
    try:
        anyio.run(partial(_watch, record, caller, plain=plain, streaming=stream is not None))
    except KeyboardInterrupt:
        click.echo(f"left; the run goes on, watch it again with: mco watch {record.run_id}", err=True)
        context.exit(130)


async def _watch(record: RunRecord, caller: Caller, *, plain: bool, streaming: bool) -> None:
    from contextlib import aclosing

    from engine.record.follow import follow
    from engine.record.view import RunView
    from workflows.cli.follower import closing_lines, shown, wants_plain
    from workflows.cli.past import unreadable
    from workflows.cli.runner import event_writer
    from workflows.runs import read_record

    view = RunView()
    writers = [event_writer()] if streaming else []
    plain = wants_plain(caller.environment, asked=plain)
    async with shown(view, caller.clock, plain=plain) as show, aclosing(follow(record.folder)) as events:
        async for event in events:
            for write in (show, *writers):
                write(event)
        view.mark_interrupted()
    if not view.run_id:  # its process is gone, and had not begun to tell of it
        raise unreadable(read_record(record.folder))
    if view.status == "interrupted":
        click.echo(
            f"its process ended without a word; take it up again with: mco resume {record.run_id}", err=True
        )
    elif view.status == "cancelled":
        click.echo(f"it was stopped; take it up again with: mco resume {record.run_id}", err=True)
    elif view.error:
        click.echo(_error(view), err=True)
    click.echo(closing_lines(view, str(record.folder.path), caller.clock()), err=True)


def _error(view: RunView) -> str:
    hint = f"\n\nhint: {clean_block(view.hint)}" if view.hint else ""
    return f"error: {clean_block(view.error or '')}{hint}"
