"""The strategy `agree`: several answers become one. Findings are matched by what and where; other JSON by majority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.json_value import is_list, is_object
from engine.severity import gravity
from engine.step import canonical

Given = Sequence[tuple[str, Any]]
"""Provider names with their values, in the order in which the step names them."""


def merge(given: Given) -> Any:
    """One value out of several. An object with a list `findings` is merged finding by finding."""
    if given and all(_has_findings(value) for _, value in given):
        return {
            **given[0][1],
            "findings": merge_findings([(name, value["findings"]) for name, value in given]),
        }
    return _majority(given)


def merge_findings(given: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[dict[str, Any]]:
    """Findings of several answers as one list, each with `detected_by` and `agreement` (share of answers, 0…1).

    Two are the same when category, title, file and line are. The first stands for all, with the gravest severity and
    the highest confidence that anybody named. The widest agreed come first, else in given order.
    """
    merged: dict[str, dict[str, Any]] = {}
    for provider, findings in given:
        for identity, finding in _distinct(findings).items():
            entry = merged.setdefault(identity, {**finding, "detected_by": []})
            entry["detected_by"].append(provider)
            _raise(entry, finding)
    for entry in merged.values():
        entry["agreement"] = round(len(entry["detected_by"]) / len(given), 2)
    return sorted(merged.values(), key=lambda entry: -len(entry["detected_by"]))


def _distinct(findings: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for finding in findings:
        _raise(found.setdefault(_identity(finding), {**finding}), finding)
    return found


def _identity(finding: Mapping[str, Any]) -> str:
    """What and where, whether the place stands beside the title or in `evidence`."""
    evidence = finding.get("evidence")
    place = evidence if is_object(evidence) else finding
    parts = [finding.get("category"), finding.get("title"), place.get("file"), place.get("line")]
    return canonical([_normal(part) for part in parts])


def _raise(entry: dict[str, Any], twin: Mapping[str, Any]) -> None:
    """Take over of the same finding what weighs more there."""
    if gravity(twin.get("severity")) < gravity(entry.get("severity")):
        entry["severity"] = twin["severity"]
    if _confidence(twin) > _confidence(entry):
        entry["confidence"] = twin["confidence"]


def _confidence(finding: Mapping[str, Any]) -> float:
    """Below 0 where nobody named one: unknown is less than any, and is not turned into a number."""
    confidence = finding.get("confidence")
    return confidence if isinstance(confidence, (int, float)) and 0 <= confidence <= 1 else -1.0


def _has_findings(value: Any) -> bool:
    findings = value.get("findings") if is_object(value) else None
    return is_list(findings) and all(is_object(finding) for finding in findings)


def _normal(value: Any) -> Any:
    return " ".join(value.lower().split()) if isinstance(value, str) else value


def _majority(given: Given) -> Any:
    # The first to give the most frequent value wins, so the outcome never depends on who was quickest.
    votes: dict[str, list[Any]] = {}
    for _, value in given:
        votes.setdefault(canonical(_normal(value)), []).append(value)
    return max(votes.values(), key=len)[0]
