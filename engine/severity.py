"""How grave a finding is: five words, and how the words of other tools and of models map onto them."""

from __future__ import annotations

from typing import Any, Literal

Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
"""Gravest first."""

_OTHER_WORDS: dict[Severity, str] = {
    "critical": "blocker fatal p0 severe",
    "high": "error important major p1 serious",
    "medium": "moderate normal p2 warn warning",
    "low": "minor p3 trivial",
    "info": "hint information informational nit none note notice p4 style suggestion",
}
_BY_WORD: dict[str, Severity] = {
    word: severity for severity, others in _OTHER_WORDS.items() for word in (severity, *others.split())
}


def severity_of(word: Any) -> Severity | None:
    """The severity that a word means, whatever its case; None when it means none of them."""
    return _BY_WORD.get(word.strip().lower()) if isinstance(word, str) else None


def gravity(word: Any) -> int:
    """0 for the gravest, one more for each step down; a word that means no severity comes last."""
    severity = severity_of(word)
    return len(SEVERITIES) if severity is None else SEVERITIES.index(severity)
