"""`mco new`: a small workflow that works, to begin from."""

from __future__ import annotations

import re
from contextlib import suppress

import click

from engine.errors import StorageFailed, UsageError
from engine.record.folder import make_state_folder
from engine.source import ScriptSource
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.consent import Consent

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_EXAMPLE = '''\
"""Two reviewers side by side, then one list of what they found.

Run it:      mco run {name}
With a file: mco run {name} -a target=src/app.py
Check it:    mco check {name}
"""

# What this workflow is and takes. It is a literal: nothing in it is run.
meta = {{
    "name": "{name}",
    "description": "Two reviewers look at a folder, one list comes back",
    "phases": [{{"title": "Review"}}, {{"title": "Report"}}],
    # JSON Schema. Defaults are filled in; wrong arguments are refused before anything is spent.
    "args": {{
        "type": "object",
        "properties": {{
            "target": {{"type": "string", "default": ".", "description": "what to review"}},
        }},
    }},
}}

# What a reviewer has to answer. Every answer is checked against it.
FINDINGS = {{
    "type": "object",
    "required": ["findings"],
    "properties": {{
        "findings": {{
            "type": "array",
            "items": {{
                "type": "object",
                "required": ["title", "file", "line"],
                "properties": {{
                    "title": {{"type": "string"}},
                    "file": {{"type": "string"}},
                    "line": {{"type": "integer"}},
                }},
            }},
        }},
    }},
}}


def reviewer(aspect, target):
    """One step: a prompt for a coding agent, and what its answer must look like."""
    return agent(
        f"Review {{target}} for {{aspect}}. Report only what you can point at, with file and line.",
        label=aspect,
        schema=FINDINGS,
        # Lets mco's built-in analysis answer when no coding agent is installed; a model ignores it.
        task={{"kind": "review", "target": target, "aspect": aspect}},
    )


async def main(args):
    phase("Review")
    aspects = ["correctness", "security"]
    # parallel() waits for all of them. One that fails is None, and the others go on.
    reviews = await parallel([reviewer(aspect, args["target"]) for aspect in aspects])

    phase("Report")
    lines = ["# Review of " + args["target"]]
    for aspect, review in zip(aspects, reviews):
        lines.append(f"\\n## {{aspect}}\\n")
        if review is None:
            lines.append("This review failed; nothing is known about it.")
        elif not review["findings"]:
            lines.append("Nothing found.")
        else:
            for finding in review["findings"]:
                lines.append(f"- {{finding['title']}} (`{{finding['file']}}:{{finding['line']}}`)")
    log("reviewed", target=args["target"])

    # A result with a "report" is shown as Markdown.
    return {{"report": "\\n".join(lines), "reviews": reviews}}
'''


@click.command("new")
@click.argument("name")
@pass_caller
def new_command(caller: Caller, *, name: str) -> None:
    """Make a workflow from a working example.

    It is written to .mco/workflows/NAME.py.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a workflow's name",
            why="a name has small letters, digits, - and _, and begins with a letter or a digit",
            hint="for example: mco new my-review",
        )
    path = caller.places.project_workflows / f"{name}.py"
    text = _EXAMPLE.format(name=name)
    make_state_folder(caller.places.state)
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            "there is a file of that name already",
            where=str(path),
            hint="choose another name, or edit that one",
        ) from None
    except OSError as error:
        with suppress(OSError):  # half of it, on a full disk
            path.unlink()
        raise StorageFailed(
            "the workflow cannot be written",
            where=str(path),
            why=error.strerror or str(error),
            hint="make the folder writable, or free some space on its disk",
        ) from None
    Consent(caller).remember(ScriptSource(path.name, text.encode(), path, name))
    click.echo(f"wrote {path}", err=True)
    click.echo(f"edit it, then: mco run {name}", err=True)
