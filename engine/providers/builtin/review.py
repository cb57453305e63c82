"""The task `review`: static analysis of Python code, by ruff."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from engine.errors import StepFailed
from engine.providers.base import Progress, Question, Report
from engine.providers.builtin.findings import Selection, Sieve, counts, write_findings
from engine.providers.builtin.ruff import Ruff, Violation
from engine.providers.builtin.rules import RULES_BY_ASPECT
from engine.providers.builtin.targets import locate
from engine.providers.builtin.tasks import ReviewTask


async def review(
    task: ReviewTask, question: Question, environment: Mapping[str, str], report: Report
) -> dict[str, Any]:
    """Findings of one aspect, the gravest first. StepFailed when there is no Python code in the target."""
    workspace = question.workspace
    ruff = Ruff(locate(workspace, "."), locate(workspace, task.target), environment, question.stall_timeout)
    files = await ruff.files()
    if not files:
        raise StepFailed(
            "unsupported",
            f"no Python files in target {task.target!r}, and only Python is reviewed without a language model",
            hint="choose another target, or name a coding agent with --provider",
        )
    version = await ruff.version()
    report(Progress("note", f"{version} looks at {len(files)} Python files"))
    violations, silenced = await _examine(ruff, task.aspect)
    selection, findings = await anyio.to_thread.run_sync(_choose, task, ruff.workspace, violations)
    if silenced:
        selection.left_out["silenced by `noqa` comments in the code"] = silenced
    return {
        "summary": _summary(task.aspect, len(files), selection),
        "findings": findings,
        "counts": dict(counts(selection)),
        "files": len(files),
        "left_out": [{"what": what, "count": count} for what, count in selection.left_out.most_common()],
        "produced_by": f"{version}, static analysis; no language model was used",
    }


async def _examine(ruff: Ruff, aspect: str) -> tuple[list[Violation], int]:
    """What ruff finds, and how many more the code's own comments silence."""
    rules = RULES_BY_ASPECT[aspect]
    violations: list[Violation] = []
    counted = 0

    async def look() -> None:
        violations.extend(await ruff.violations(rules))

    async def count() -> None:
        nonlocal counted
        counted = await ruff.count(rules)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        tasks.start_soon(count)
    return violations, max(0, counted - len(violations))


def _choose(
    task: ReviewTask, root: Path, violations: list[Violation]
) -> tuple[Selection, list[dict[str, Any]]]:
    selection = Sieve(root, task.aspect).select(violations, task.limit)
    return selection, write_findings(root, task.aspect, selection.shown)


def _summary(aspect: str, files: int, selection: Selection) -> str:
    where = "1 Python file" if files == 1 else f"{files} Python files"
    if not selection.total:
        return f"No {aspect} findings in {where}."
    found = "1 finding" if selection.total == 1 else f"{selection.total} findings"
    return f"{found} about {aspect} in {where}; {len(selection.shown)} shown."
