"""What a run leaves on stdout: its report, its result, or one JSON document."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.errors import MCOError, NoProviderReady
from engine.text import clean_block, clean_output
from workflows.cli.outlet import give, mute

if TYPE_CHECKING:
    from engine.step import Usage
    from engine.surroundings import RunOutcome

_USAGE = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost")
_READABLE = 100
"""Prose in lines longer than this is hard to read, however wide the terminal."""


def echo_report(result: Any) -> None:
    """The Markdown that a script returned, rendered on a terminal and as text in a pipe; else its result."""
    from engine.summary import report_of

    report = report_of(result)
    if report is not None and sys.stdout.isatty():
        _render(report)
    elif report is not None:
        echo_data(clean_output(report.rstrip()))
    elif isinstance(result, str):
        echo_data(clean_output(result))
    elif result is not None:
        echo_data(json.dumps(result, indent=2, ensure_ascii=False))


def echo_document(outcome: RunOutcome, facts: Mapping[str, Any]) -> None:
    """The one document of `--json`, with what a command has to add."""
    echo_data(json.dumps({**_document(outcome), **facts}, indent=2, ensure_ascii=False))


@contextmanager
def refusals_shown(workflow: str | None, output: str) -> Generator[None, None, None]:
    """Inside, an error of ours is a document as well when `--json` was asked for; it is raised all the same."""
    try:
        yield
    except MCOError as error:
        if output == "json":
            _echo_refusal(workflow, error)
        raise


def _echo_refusal(workflow: str | None, error: MCOError) -> None:
    """The document of `--json` for a run that was refused before it began."""
    document = {
        "run_id": None,
        "workflow": workflow,
        "status": "no_provider" if isinstance(error, NoProviderReady) else "refused",
        "result": None,
        "error": describe_error(error),
        "steps": {},
        "usage": dict.fromkeys(_USAGE),
        "seconds": 0.0,
        "folder": None,
    }
    echo_data(json.dumps(document, indent=2, ensure_ascii=False))


def echo_data(text: str) -> None:
    """Data on stdout: UTF-8 whatever the locale says, untouched in a pipe, cleaned for a terminal."""
    shown = clean_block(text, len(text)) if sys.stdout.isatty() else text
    give(shown.encode("utf-8", "replace"))


def reader_left() -> None:
    """`mco … | head` closes our output before its end: nothing is wrong, and nothing more can be said there."""
    mute()


def describe_error(error: MCOError) -> dict[str, Any]:
    """An error of ours as JSON."""
    return {"what": error.what, "where": error.where, "why": error.why, "hint": error.hint}


def _document(outcome: RunOutcome) -> dict[str, Any]:
    return {
        "run_id": outcome.run_id,
        "workflow": outcome.workflow,
        "status": outcome.status,
        "result": outcome.result,
        "error": None if outcome.error is None else describe_error(outcome.error),
        "steps": dict(outcome.steps),
        "usage": usage_as_json(outcome.usage),
        "seconds": round(outcome.seconds, 3),
        "folder": str(outcome.folder),
    }


def usage_as_json(usage: Usage) -> Mapping[str, Any]:
    """Tokens and cost; null where nobody said."""
    return {name: getattr(usage, name) for name in _USAGE}


def _render(markdown: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    # Links are written out: a report must not hide where one goes.
    console.print(Markdown(markdown, hyperlinks=False), width=min(console.width, _READABLE))
