"""What is believed of a finding, and what makes it the same finding tomorrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from engine.severity import SEVERITIES, gravity, severity_of
from tests.findings.hostile import results
from workflows.findings.finding import Finding
from workflows.findings.reading import Findings, read_findings

HERE = Path("/home/me/project")
PLAIN = {
    "severity": "high",
    "category": "bug",
    "title": "Off by one on line 12",
    "file": "src/a.py",
    "line": 12,
    "symbol": "count",
    "snippet": "for n in range(1, total):",
}


def read(*entries: Any) -> Findings:
    findings = read_findings({"findings": list(entries)}, HERE)
    assert findings is not None
    return findings


def one(**changes: Any) -> Finding:
    (finding,) = read({**PLAIN, **changes}).found
    return finding


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", "critical"),
        (" HIGH ", "high"),
        ("Blocker", "critical"),
        ("error", "high"),
        ("warning", "medium"),
        ("P3", "low"),
        ("nit", "info"),
    ],
)
def test_the_words_of_others_mean_one_of_five(word: str, severity: str) -> None:
    assert severity_of(word) == severity
    assert one(severity=word).severity == severity


@pytest.mark.parametrize("word", ["", "scary", 3, None, ["high"]])
def test_any_other_word_is_no_severity_and_weighs_least(word: Any) -> None:
    assert severity_of(word) is None
    assert gravity(word) > gravity(SEVERITIES[-1])


def test_a_place_is_read_beside_the_title_and_inside_evidence() -> None:
    nested = {key: PLAIN[key] for key in ("file", "line", "symbol", "snippet")}
    outer = {key: PLAIN[key] for key in ("severity", "category", "title")}
    assert read({**outer, "evidence": nested}).found == read(PLAIN).found


@pytest.mark.parametrize(
    ("named", "file", "line"),
    [
        ("./src/a.py", "src/a.py", None),
        ("src\\a.py", "src/a.py", None),
        ("/home/me/project/src/a.py", "src/a.py", None),
        ("src/x/../a.py", "src/a.py", None),
        ("src/a.py:7", "src/a.py", 7),
        ("/home/me/project/src/a.py:7:3", "src/a.py", 7),
        ("/home/me/projectile/a.py", "/home/me/projectile/a.py", None),
        ("../a.py", "../a.py", None),
        ("", "", None),
    ],
)
def test_a_file_is_relative_to_the_workspace_however_an_agent_names_it(
    named: str, file: str, line: int | None
) -> None:
    evidence = one(file=named, line=None).evidence
    assert (evidence.file, evidence.line) == (file, line)


@pytest.mark.parametrize("odd", [0, -3, "12", 1.5, True, 10**30, [1]])
def test_a_line_that_cannot_be_one_is_unknown(odd: Any) -> None:
    assert one(line=odd).evidence.line is None


@pytest.mark.parametrize("odd", [85, -0.1, "high", True, float("nan"), None])
def test_a_confidence_that_is_no_share_is_unknown_and_never_a_number(odd: Any) -> None:
    assert one(confidence=odd).confidence is None


@pytest.mark.parametrize(
    "same",
    [
        {"line": 99},
        {"title": "off  by ONE, on line 40"},
        {"snippet": "something else near the same symbol"},
        {"severity": "low"},
        {"confidence": 0.4, "recommendation": "count from 0"},
        {"file": "./src/a.py"},
        {"category": "BUG"},
    ],
)
def test_a_finding_stays_the_same_when_lines_move_and_words_change_a_little(same: dict[str, Any]) -> None:
    assert one(**same).fingerprint == one().fingerprint


@pytest.mark.parametrize(
    "other",
    [{"file": "src/b.py"}, {"category": "security"}, {"title": "Leaks a file"}, {"symbol": "total"}],
)
def test_another_place_or_another_fault_is_another_finding(other: dict[str, Any]) -> None:
    assert one(**other).fingerprint != one().fingerprint


def test_without_a_symbol_the_snippet_tells_two_apart_whatever_its_spaces() -> None:
    first, again, other = (one(symbol=None, snippet=code) for code in ("a = b", "a  =  b\n", "a = c"))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_the_fingerprint_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert one().fingerprint == "37af5f6a8d73a11738f166229b2e7cedc8e828bef00631b1cbee210d67d1415f"


def test_what_is_no_finding_is_counted_and_costs_the_others_nothing() -> None:
    findings = read(
        PLAIN,
        {"title": "no severity"},
        {"severity": "high"},
        {"severity": "high", "title": " "},
        "text",
        None,
    )
    assert (len(findings.found), findings.unreadable) == (1, 5)


def test_what_is_odd_about_a_finding_is_left_out_and_the_finding_is_not() -> None:
    finding = one(category=3, rule=["x"], recommendation=None, detected_by="claude", snippet={"a": 1})
    assert (finding.category, finding.rule, finding.detected_by, finding.evidence.snippet) == (
        "general",
        "",
        ("claude",),
        "",
    )


@pytest.mark.parametrize("result", [None, "text", [PLAIN], {}, {"findings": "many"}, {"findings": None}])
def test_a_result_without_a_list_of_findings_has_none(result: Any) -> None:
    assert read_findings(result, HERE) is None


def test_an_empty_list_is_a_review_that_found_nothing() -> None:
    assert read() == Findings(())


def test_a_finding_is_a_document_with_its_id_and_fingerprint() -> None:
    document = one(confidence=1).document()
    assert list(document) == [
        "id",
        "severity",
        "category",
        "title",
        "evidence",
        "rule",
        "recommendation",
        "confidence",
        "detected_by",
        "agreement",
        "fingerprint",
    ]
    assert document["fingerprint"].startswith(document["id"])
    assert (document["confidence"], document["agreement"]) == (1.0, None)


@given(results)
def test_nothing_that_a_result_holds_breaks_the_reading(result: Any) -> None:
    findings = read_findings(result, HERE)
    assert findings is not None
    assert len(findings.found) + findings.unreadable == len(result["findings"])
    for finding in findings.found:
        assert finding.title.isprintable()
        assert finding.evidence.file.isprintable()
        json.dumps(finding.document(), allow_nan=False).encode()
