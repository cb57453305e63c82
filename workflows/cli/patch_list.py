"""The patches of a run as tables and as a document: what there is, where it collides, and what was left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.text import clean_line
from workflows.cli.outlet import tell
from workflows.cli.report import echo_data
from workflows.cli.table import echo_table

if TYPE_CHECKING:
    from engine.record.patches import KeptPatch
    from engine.worktree.leftovers import Leftover
    from engine.worktree.review import Collision, Review
    from workflows.runs import RunRecord


def document(record: RunRecord, review: Review, left: Sequence[tuple[Leftover, str]]) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "run_id": record.run_id,
        "patches": [
            {
                "number": number,
                "state": patch.state,
                **patch.facts.model_dump(exclude={"files"}),
                "files": [file._asdict() for file in patch.facts.files],
                "path": str(patch.path),
            }
            for number, patch in enumerate(review.patches, 1)
        ],
        "conflicts": [
            {
                "severity": one.conflict.severity,
                "patches": [one.first, one.second],
                "steps": [review.patches[number - 1].facts.step for number in (one.first, one.second)],
                "file": one.conflict.path.encode(errors="surrogateescape").decode(errors="replace"),
                "line": one.conflict.line,
            }
            for one in review.collisions
        ],
        "leftovers": [
            {"path": str(leftover.path), "step": leftover.purpose.step, "why": why or None}
            for leftover, why in left
        ],
    }


def show(record: RunRecord, review: Review, left: Sequence[tuple[Leftover, str]]) -> None:
    """Print the tables, and what can be done. `left` are worktrees with work that is nowhere else, and why."""
    if review.patches:
        rows = [_row(number, patch) for number, patch in enumerate(review.patches, 1)]
        echo_table(("N", "STEP", "PROVIDER", "STATE", "FILES", "LINES", "CHANGES"), rows)
    elif not left:
        tell(f"run {record.run_id} has no patches: none of its steps changed files in a worktree")
    if review.collisions:
        echo_data("")
        echo_table(("CONFLICT", "PATCHES", "FILE"), [_collision_row(one) for one in review.collisions])
    for leftover, why in left:
        purpose = leftover.purpose
        said = f"step {purpose.step} ({purpose.label}) left work in {leftover.path}"
        tell(clean_line(f"warning: {said}: {why or 'it cannot be removed'}", 1_000))
    if review.offered:
        tell("look at one with --show N, take it with --apply N, refuse it with --drop N")


def _row(number: int, patch: KeptPatch) -> tuple[str, ...]:
    facts = patch.facts
    names = ", ".join(file.path for file in facts.files[:3])
    more = f" and {len(facts.files) - 3} more" if len(facts.files) > 3 else ""
    state = f"{patch.state} ({facts.ended})" if patch.state == "unfinished" else patch.state
    return (
        str(number),
        f"{facts.step} {facts.label}",
        facts.provider,
        state,
        str(len(facts.files)),
        _lines(patch),
        names + more,
    )


def _lines(patch: KeptPatch) -> str:
    from engine.record.patches import lines_of

    added, removed = lines_of(patch.facts.files)
    uncounted = any(file.added is None for file in patch.facts.files)
    return f"+{added} −{removed}" + (" and binary" if uncounted else "")


def _collision_row(collision: Collision) -> tuple[str, str, str]:
    conflict = collision.conflict
    place = conflict.path.encode(errors="surrogateescape").decode(errors="replace")
    line = "" if conflict.line is None else f":{conflict.line}"
    return conflict.severity, f"{collision.first} and {collision.second}", f"{place}{line}"
