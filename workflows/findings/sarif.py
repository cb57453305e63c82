"""Findings as SARIF 2.1.0 (OASIS): what code scanning services and editors read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from engine.severity import Severity
from workflows.findings.about import About
from workflows.findings.finding import Evidence, Finding
from workflows.findings.reading import Findings

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""What paths are relative to: the workspace, by the name that everybody uses for it."""
FINGERPRINT = "mcoFinding/v1"
_PLACEHOLDER = re.compile(r"\{(\d+)\}")
_LEVELS: Mapping[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}


def sarif(findings: Findings, about: About) -> str:
    """The document, as JSON."""
    return json.dumps(_log(findings, about), indent=2, ensure_ascii=False)


def _log(findings: Findings, about: About) -> dict[str, Any]:
    rules = _rules(findings.found)
    indexes = {rule["id"]: index for index, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    results: list[dict[str, Any]] = []
    for finding in findings.found:
        seen[finding.fingerprint] += 1
        results.append(_result(finding, indexes[_rule_id(finding)], seen[finding.fingerprint]))
    run = {
        "tool": {"driver": {"name": "mco", "version": about.version, "rules": rules}},
        "automationDetails": {"id": f"mco/{_part(about.workflow)}/{about.run_id}"},
        "invocations": [_invocation(findings, about)],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The workspace of the run."}}},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "workflow": about.workflow,
            "status": about.status,
            "decision": about.decision or None,
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _invocation(findings: Findings, about: About) -> dict[str, Any]:
    """Whether the tool did all its work; a service must not take an unfinished review for a clean one."""
    said = [("note", note) for note in about.notes]
    said += [("warning", f"missing: {who}") for who in about.missing]
    if findings.unreadable:
        said.append(("warning", f"findings that could not be read: {findings.unreadable}"))
    return {
        "executionSuccessful": about.complete,
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": _literal(text)}} for level, text in said
        ],
    }


def _rules(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The rules of the findings, in the order in which they come up first."""
    rules: dict[str, dict[str, Any]] = {}
    for finding in findings:
        name = _rule_id(finding)
        said = f"{finding.category}: {finding.rule}" if finding.rule else finding.category
        rules.setdefault(
            name,
            {
                "id": name,
                "shortDescription": {"text": _literal(said)},
                "properties": {"tags": [finding.category]},
            },
        )
    return list(rules.values())


def _rule_id(finding: Finding) -> str:
    return "/".join(_part(part) for part in (finding.category, finding.rule) if part)


def _result(finding: Finding, rule_index: int, occurrence: int) -> dict[str, Any]:
    advice = f"\n\n{finding.recommendation}" if finding.recommendation else ""
    properties = {
        "id": finding.id,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "agreement": finding.agreement,
        "detectedBy": list(finding.detected_by),
    }
    return {
        "ruleId": _rule_id(finding),
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _literal(f"{finding.title}{advice}")},
        "locations": [_location(finding.evidence)],
        "partialFingerprints": {FINGERPRINT: f"{finding.fingerprint}:{occurrence}"},
        "properties": {name: value for name, value in properties.items() if value is not None},
    }


def _literal(text: str) -> str:
    """A message without its two notations: `{0}` stands for an argument, and `[text](target)` is a link."""
    return _PLACEHOLDER.sub(r"{{\1}}", text).replace("](", "] (")


def _location(evidence: Evidence) -> dict[str, Any]:
    """Services refuse results without a place, so one that names none, or one outside, is put at the workspace."""
    inside = evidence.file and not _leaves(evidence.file)
    place: dict[str, Any] = {
        "artifactLocation": {"uri": _quoted_path(evidence.file) if inside else ".", "uriBaseId": ROOT}
    }
    if inside and evidence.line:
        place["region"] = _region(evidence, evidence.line)
    location: dict[str, Any] = {"physicalLocation": place}
    if evidence.file and not inside:
        location["message"] = {"text": _literal(f"named outside the workspace: {evidence.file}")}
    if evidence.symbol:
        location["logicalLocations"] = [{"name": evidence.symbol}]
    return location


def _region(evidence: Evidence, line: int) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": line}
    if evidence.column:
        region["startColumn"] = evidence.column
    if evidence.snippet:
        region["snippet"] = {"text": evidence.snippet}
    return region


def _leaves(file: str) -> bool:
    """Whether a path is not one below the workspace."""
    return file.startswith(("/", "../", "\\")) or file == ".." or file[1:3] in (":/", ":\\")


def _quoted_path(file: str) -> str:
    """A relative path as a URI reference; a colon in its first part would make it a scheme."""
    return "/".join(quote(part, safe="", errors="replace") for part in file.split("/"))


def _part(name: str) -> str:
    """A name as one part of an id whose parts stand between slashes."""
    return name.replace("/", "-")
