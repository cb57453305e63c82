"""Findings as a Markdown comment for a pull request: the decision first, then each finding by severity."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from engine.severity import SEVERITIES, Severity, gravity
from workflows.findings.about import About
from workflows.findings.escaping import code, fenced, prose
from workflows.findings.finding import Finding
from workflows.findings.reading import Findings

LONGEST = 65_536
"""What GitHub takes in one comment, in characters."""
_SNIPPET = 1_500
_ADVICE = 2_000
_UNSAFE = re.compile(r"[^a-z0-9]+")


class _Entry(NamedTuple):
    severity: Severity
    text: str


def markdown_comment(findings: Findings, about: About, longest: int = LONGEST) -> str:
    """The comment, at most `longest` characters; what did not fit is counted in its last line."""
    head = _head(findings, about)
    entries = [_Entry(each.severity, _entry(each)) for each in _ranked(findings.found)]
    foot = f"mco {prose(about.version)}, workflow {code(about.workflow)}, run {code(about.run_id)}"
    shown = len(entries)
    while _length(comment := _assembled(head, entries, shown, foot)) > longest and shown:
        # What is too much is cut from the end, where the least grave are; at least one of them each time.
        shown = _fitting(entries[:shown], _length(comment) - longest)
    return comment


def marker(workflow: str) -> str:
    """The first line, which nobody sees: by it a bot finds the comment that it wrote before, and replaces it."""
    return f"<!-- mco:findings:{_UNSAFE.sub('-', workflow.lower()).strip('-') or 'workflow'} -->"


def _ranked(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: gravity(each.severity))


def _head(findings: Findings, about: About) -> list[str]:
    counts = Counter(each.severity for each in findings.found)
    listed = ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name])
    amount = len(findings.found)
    said = f"{amount} finding{'' if amount == 1 else 's'}: {listed}" if amount else "no findings"
    lines = [marker(about.workflow), f"## mco {prose(about.workflow)}"]
    if about.decision:
        reason = f": {prose(about.reason)}" if about.reason else ""
        lines.append(f"**{prose(about.decision)}**{reason}")
    lines.append(f"{said[:1].upper()}{said[1:]}.")
    if about.status != "done":
        lines.append(f"> The run ended as **{prose(about.status)}**: not everything was looked at.")
    lines += [f"> Note: {prose(note)}" for note in about.notes]
    lines += [f"> Missing: {prose(who)}" for who in about.missing]
    if findings.unreadable:
        lines.append(f"> Findings that could not be read: {findings.unreadable}")
    return lines


def _assembled(head: list[str], entries: list[_Entry], shown: int, foot: str) -> str:
    parts = list(head)
    for number, entry in enumerate(entries[:shown]):
        if number == 0 or entries[number - 1].severity != entry.severity:
            parts.append(f"### {entry.severity.capitalize()}")
        parts.append(entry.text)
    left = Counter(entry.severity for entry in entries[shown:])
    if left:
        listed = ", ".join(f"{left[name]} {name}" for name in SEVERITIES if left[name])
        parts.append(f"**Left out, since a comment has an end: {listed}.** The run's result has all of them.")
    return "\n\n".join([*parts, foot]) + "\n"


def _fitting(entries: list[_Entry], excess: int) -> int:
    """How many of the entries are left when enough are cut from the end to save `excess` characters."""
    left = len(entries)
    while left and excess > 0:
        left -= 1
        excess -= _length(entries[left].text) + 2
    return left


def _entry(finding: Finding) -> str:
    evidence = finding.evidence
    place = f"{evidence.file}:{evidence.line}" if evidence.file and evidence.line else evidence.file
    parts = [f"**{prose(finding.title)}**" + (f" at {code(place)}" if place else "")]
    if evidence.snippet.strip():
        parts.append(fenced(_cut(evidence.snippet, _SNIPPET)))
    if finding.recommendation:
        parts.append(prose(_cut(finding.recommendation, _ADVICE)))
    parts.append(_facts(finding))
    return "\n\n".join(parts)


def _facts(finding: Finding) -> str:
    facts = [prose(finding.category), prose(finding.rule)]
    facts.append(f"in {code(finding.evidence.symbol)}" if finding.evidence.symbol else "")
    facts.append(f"found by {prose(', '.join(finding.detected_by))}" if finding.detected_by else "")
    facts.append("" if finding.agreement is None else f"agreement {finding.agreement:.0%}")
    facts.append("" if finding.confidence is None else f"confidence {finding.confidence:.0%}")
    return " · ".join([*(fact for fact in facts if fact), finding.id])


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _length(text: str) -> int:
    """As the strictest count it: a character beyond the first 65,536 of Unicode is two."""
    return len(text) + sum(character > "\uffff" for character in text)
