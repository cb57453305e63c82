"""The report of a run in Markdown: the script's own where it wrote one, else what happened and what came back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.json_value import is_object
from engine.record.folder import RunFolder, write_atomically
from engine.record.stream import Stream
from engine.record.view import RunView
from engine.text import clean_block, clean_line


def report_of(result: Any) -> str | None:
    """The Markdown that a script returned as `report` in its result, or None."""
    report = result.get("report") if is_object(result) else None
    return clean_block(report, 1_000_000) if isinstance(report, str) else None


def write_summary(folder: RunFolder, view: RunView, result: Any, stream: Stream) -> None:
    """Write `summary.md`, and tell where patches of the run collide. StorageFailed when the disk does not take it."""
    collisions: Sequence[str] = ()
    if view.patches:
        from engine.worktree.review import tell_collisions  # few runs have patches

        collisions = tell_collisions(folder, stream)
    write_atomically(folder.summary, summary(view, result, collisions))


def summary(view: RunView, result: Any, collisions: Sequence[str] = ()) -> str:
    """The content of `summary.md`. `collisions` says where the patches of the run get in each other's way."""
    report = report_of(result)
    if report is not None:
        ending = "\n\n".join([_ending(view).rstrip(), *_patches(view, collisions)])
        return f"{report.rstrip()}\n\n---\n\n{ending}\n"
    lines = [f"# {view.workflow}: {view.status}", "", f"Run `{view.run_id}`: {_counted(view)}.", ""]
    if view.error:
        lines += ["## Error", "", clean_block(view.error), ""]
        lines += [f"hint: {view.hint}", ""] if view.hint else []
    if view.steps:
        lines += ["| step | label | state | provider |", "|---:|---|---|---|"]
        lines += [_row(step.number, step.label, step.state, step.provider) for step in view.steps.values()]
        lines.append("")
    lines += [part for paragraph in _patches(view, collisions) for part in (paragraph, "")]
    if result is not None:
        lines += ["## Result", "", "```json", json.dumps(result, indent=2, ensure_ascii=False), "```", ""]
    return "\n".join(lines)


def _ending(view: RunView) -> str:
    """How the run ended that a report came from: a report of its own does not say what failed on the way."""
    lines = [f"Run `{view.run_id}` of {view.workflow}: {view.status}, {_counted(view)}.", ""]
    lost = [step for step in view.steps.values() if step.state in ("failed", "skipped")]
    lines += [f"- {clean_line(step.label)}: {step.state}, {clean_line(step.message, 400)}" for step in lost]
    lines += [f"- {clean_line(provider)}: {clean_line(note)}" for provider, note in view.notes.items()]
    return "\n".join(lines).rstrip() + "\n"


def _patches(view: RunView, collisions: Sequence[str]) -> list[str]:
    if not view.patches:
        return []
    offer = f"Patches offered: {view.patches}. See `mco patches {view.run_id}`."
    return [offer, *(["\n".join(f"- {clean_line(said, 400)}" for said in collisions)] if collisions else [])]


def _counted(view: RunView) -> str:
    counts = view.counts
    named = [("finished", counts.finished), ("reused", counts.reused), ("failed", counts.failed)]
    named.append(("skipped", counts.skipped))
    return ", ".join(f"{number} {name}" for name, number in named if number) or "no steps"


def _row(number: int, label: str, state: str, provider: str | None) -> str:
    return f"| {number} | {_cell(label)} | {state} | {_cell(provider or '')} |"


def _cell(text: str) -> str:
    return clean_line(text).replace("|", "\\|")
