"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from engine.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = ("sarif", "markdown-pr")
"""In which findings can be had, see `workflows.findings.formats`, which only who asks for one has to load."""
_CEILINGS = (
    click.option("--provider", metavar="NAME", help="Who answers steps that name nobody."),
    click.option(
        "--access", type=click.Choice(["read", "write", "full"]), help="The most that a step may ask for."
    ),
    click.option("--max-parallel", type=click.IntRange(1), metavar="N", help="Steps at once."),
    click.option("--budget", metavar="TOKENS", help="The most tokens to spend, such as 200k."),
    click.option(
        "--max-cost", type=click.FloatRange(0, min_open=True), metavar="USD", help="The most to spend."
    ),
)


def ceiling_options(command: Command) -> Command:
    """Who is asked and what may be spent; they arrive as settings by name."""
    for option in reversed(_CEILINGS):
        command = option(command)
    return command


def trust_option(command: Command) -> Command:
    """A yes before the question; it arrives as `trust`."""
    said = "Run the script, and the project's that it calls, without asking; kept as a yes."
    return click.option("--trust", is_flag=True, help=said)(command)


def untrusted_option(command: Command) -> Command:
    """Whether nothing but a whole sandbox will do; it arrives as `untrusted`."""
    said = "Refuse to run unless the operating system's part of the sandbox is whole."
    return click.option("--untrusted", is_flag=True, help=said)(command)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What goes to stdout, and how stderr talks; they arrive as `output` and `plain`."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout at the end.")
    @click.option("--stream", type=click.Choice(["jsonl"]), help="Every event on stdout, as JSON lines.")
    @click.option("--format", "findings_format", type=click.Choice(FORMATS), help="The findings, for others.")
    @click.option("--plain", is_flag=True, help="Plain lines instead of the live view.")
    @wraps(command)
    def with_output(
        *args: Any, as_json: bool, stream: str | None, findings_format: str | None, **rest: Any
    ) -> Any:
        given = {"--json": as_json, "--stream": stream, "--format": findings_format}
        wanted = [name for name, value in given.items() if value]
        if len(wanted) > 1:
            raise UsageError(
                f"{' and '.join(wanted)} {'both' if len(wanted) == 2 else 'all'} want stdout",
                hint="choose one of them",
            )
        output = "json" if as_json else "events" if stream else findings_format or "report"
        return command(*args, output=output, **rest)

    return with_output
