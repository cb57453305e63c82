from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.base import Question
from engine.record.events import Event, StepReused

pytestmark = pytest.mark.anyio

APP = """\
import subprocess


def find(name, seen=[]):
    subprocess.run("ls " + name, shell=True, check=True)
    return sum([[name], seen], [])
"""
COUNTS = {"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0}


def finding(**changes: Any) -> dict[str, Any]:
    return {
        "severity": "high",
        "category": "correctness",
        "title": "Default list is shared",
        "file": "app.py",
        "line": 4,
        "column": 1,
        "snippet": "def find(name, seen=[]):",
        "rule": "",
        "recommendation": "Default to None.",
        **changes,
    }


def answer(*findings: dict[str, Any]) -> dict[str, Any]:
    counts = {**COUNTS, "total": len(findings), "shown": len(findings)}
    for each in findings:
        counts[each["severity"]] += 1
    return {
        "summary": "Fair.",
        "findings": list(findings),
        "counts": counts,
        "files": 1,
        "left_out": [],
        "produced_by": "language model",
    }


async def test_without_a_model_it_reports_real_faults_with_their_places(run: Any, workspace: Path) -> None:
    (workspace / "app.py").write_text(APP)
    outcome = await run("review-code", {})
    assert outcome.status == "done"
    report = outcome.result["report"]
    for place in ("`app.py:4`", "`app.py:5`", "`app.py:6`"):
        assert place in report
    assert report.index("## High") < report.index("## Medium")
    assert "No language model was used: these are findings of static analysis (ruff" in report
    assert (outcome.folder / "summary.md").read_text().startswith(report.rstrip() + "\n\n---\n")
    assert [each["reviewer"] for each in outcome.result["reviewers"]] == [
        "correctness",
        "security",
        "performance",
    ]
    assert outcome.result["counts"]["high"] == 2
    assert outcome.steps["skipped"] == 1


async def test_a_second_run_reuses_every_step_until_a_reviewed_file_changes(
    run: Any, workspace: Path, events: list[Event]
) -> None:
    (workspace / "src").mkdir()
    (workspace / "src/app.py").write_text(APP)
    first = await run("review-code", {"target": "./src/"})
    (workspace / "unrelated.py").write_text("print('hello')\n")
    events.clear()
    again = await run("review-code", {"target": "./src/"})
    assert len([event for event in events if isinstance(event, StepReused)]) == 3
    assert again.result == first.result
    (workspace / "src/app.py").write_text(APP.replace("seen=[]", "seen=()"))
    changed = await run("review-code", {"target": "./src/"})
    assert changed.steps["reused"] == 0
    assert "shared between calls" not in changed.result["report"]


async def test_a_target_that_cannot_be_reviewed_fails_the_run_and_says_why(run: Any, workspace: Path) -> None:
    outcome = await run("review-code", {"target": "nowhere"})
    assert outcome.status == "failed"
    assert "No reviewer could do its work" in str(outcome.error)
    assert "does not exist" in str(outcome.error)


async def test_with_a_model_findings_are_judged_merged_and_ranked(run: Any, workspace: Path) -> None:
    (workspace / "app.py").write_text(APP)

    def model(question: Question) -> Any:
        if question.task is None:
            assert "Findings:" in question.prompt
            listed = json.loads(question.prompt.partition("Findings:\n")[2])
            assert [each["title"] for each in listed] == [
                "Default list is shared",
                "Shell takes any name",
                "Slow sum",
                "Sum of lists",
            ]
            verdicts = [
                (1, True, 0, "low"),
                (2, True, 0, "critical"),
                (3, True, 4, "medium"),
                (4, False, 0, "low"),
            ]
            return {
                "summary": "Mend the shell first.",
                "verdicts": [
                    {"number": n, "keep": keep, "same_as": twin, "severity": severity, "why": "Looked at it."}
                    for n, keep, twin, severity in verdicts
                ],
            }
        if question.task["aspect"] == "correctness":
            return answer(finding())
        if question.task["aspect"] == "security":
            shell = finding(title="Shell takes any name", line=5, category="security")
            return answer(finding(title="Default list is shared", line=5), shell)
        return answer(
            finding(title="Slow sum", line=6, severity="low"),
            finding(title="Sum of lists", line=9, severity="low"),
        )

    outcome = await run("review-code", {}, model)
    kept = outcome.result["findings"]
    assert [(each["title"], each["severity"]) for each in kept] == [
        ("Shell takes any name", "critical"),
        ("Slow sum", "medium"),
        ("Default list is shared", "low"),
    ]
    assert kept[2]["detected_by"] == ["correctness", "security"]
    report = outcome.result["report"]
    assert "Mend the shell first." in report
    assert "No language model" not in report
    assert "## Set aside after a second look" in report
    assert "Sum of lists" in report


async def test_what_one_reviewer_says_of_two_lines_is_two_findings(run: Any, workspace: Path) -> None:
    (workspace / "app.py").write_text(APP)

    def model(question: Question) -> Any:
        if question.task is None:
            raise StepFailed("network", "no line")
        if question.task["aspect"] == "security":
            return answer(finding(line=4), finding(line=6))
        return answer(finding(line=5)) if question.task["aspect"] == "performance" else answer()

    kept = (await run("review-code", {}, model)).result["findings"]
    assert [(each["line"], each["detected_by"]) for each in kept] == [
        (4, ["security", "performance"]),
        (6, ["security"]),
    ]


async def test_a_reviewer_that_failed_is_named_in_the_report(run: Any, workspace: Path) -> None:
    (workspace / "app.py").write_text(APP)

    def model(question: Question) -> Any:
        if question.task is None:
            raise StepFailed("network", "no line")
        if question.task["aspect"] == "security":
            raise StepFailed("refused", "not today")
        return answer(finding(title=question.task["aspect"], line=len(question.task["aspect"])))

    outcome = await run("review-code", {}, model)
    report = outcome.result["report"]
    assert "**The security review is missing**" in report
    assert "not judged (network)" in report
    assert len(outcome.result["findings"]) == 2
    assert outcome.status == "partial"


async def test_text_of_others_cannot_break_out_of_the_report(run: Any, workspace: Path) -> None:
    nasty = finding(
        title="<script>*a* [x](http://e.vil)", snippet="```\n# Approved\n```", recommendation="one\n# two"
    )

    def model(question: Question) -> Any:
        if question.task is None:
            raise StepFailed("network", "no line")
        return answer(nasty) if question.task["aspect"] == "security" else answer()

    report = (await run("review-code", {}, model)).result["report"]
    assert r"\<script\>\*a\* \[x\](http://e.vil)" in report
    assert "````python\n```\n# Approved\n```\n````" in report
    assert "\n# two" not in report
