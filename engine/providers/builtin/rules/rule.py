"""What a finding of one rule means to a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.severity import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """How grave a finding of this rule is, what to call it, and what to do. Without a title, ruff's sentence is used.

    `{name}` in a title stands for what ruff's message puts between backticks first.
    """

    severity: Severity
    title: str = ""
    advice: str = ""


Rules = Mapping[str, Rule]
"""Rules by ruff's code. Only what is listed is asked for, so that every finding has a considered severity."""
