"""Errors as people read them: what, where, why, and after a blank line the way out."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

import click

from engine.errors import MCOError, Problem, ScriptRefused
from engine.text import clean_block, clean_line
from workflows.cli.excerpt import excerpt


def describe(error: MCOError) -> str:
    """The lines that are shown for an error of ours."""
    lines = [f"error: {clean_block(error.what, 4_000)}"]
    lines += [f"  where: {clean_line(error.where, 500)}"] if error.where else []
    lines += [f"  why: {_indented(error.why)}"] if error.why else []
    if isinstance(error, ScriptRefused):
        for problem in error.problems:
            lines += ["", *describe_problem(error.where or "script", problem)]
    lines += ["", f"hint: {clean_block(error.hint, 2_000)}"] if error.hint else []
    return "\n".join(lines)


def describe_problem(where: str, problem: Problem, word: str = "error") -> list[str]:
    """One problem of a script: where and what, the line with a caret under the place, and the way out.

    `word` says how grave it is, in colour or not.
    """
    place = f"{where}:{problem.line}:{problem.column}" if problem.line else where
    lines = [f"{clean_line(place, 500)}: {word}: {clean_line(problem.message, 1_000)}"]
    lines += [f"    {line}" for line in excerpt(problem)]
    lines += [f"    hint: {clean_line(problem.hint, 500)}"] if problem.hint else []
    return lines


def describe_usage(error: click.ClickException) -> str:
    """The same for a command line that click refuses; the help for one that says nothing."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    lines = [f"error: {clean_block(error.format_message(), 2_000)}"]
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        lines += ["", f"hint: {context.command_path} --help"]
    return "\n".join(lines)


def describe_bug(error: BaseException, folder: Path, now: float) -> str:
    """One sentence for what should not happen; the details go to a file in `folder`."""
    return "\n".join(
        [
            f"error: this is a bug in mco ({clean_line(type(error).__name__)})",
            f"  where: {_write_details(error, folder, now)}",
            "",
            "hint: report it with that file; finished steps are kept, so running it again costs nothing twice",
        ]
    )


def _write_details(error: BaseException, folder: Path, now: float) -> str:
    path = folder / f"bug-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}.txt"
    details = "".join(traceback.format_exception(error))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{sys.version}\n\n{details}", encoding="utf-8", errors="replace")
    except OSError as problem:
        return f"the details could not be written to {path} ({problem.strerror})"
    return f"the details are in {path}"


def _indented(text: str) -> str:
    return clean_block(text, 4_000).replace("\n", "\n       ")
