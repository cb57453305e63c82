"""Which of ruff's rules each aspect of a review asks for, how grave they are, and what to tell people."""

from __future__ import annotations

from engine.providers.builtin.rules.correctness import CORRECTNESS
from engine.providers.builtin.rules.performance import PERFORMANCE
from engine.providers.builtin.rules.rule import Rule, Rules
from engine.providers.builtin.rules.security import SECURITY

RULES_BY_ASPECT: dict[str, Rules] = {
    "correctness": CORRECTNESS,
    "security": SECURITY,
    "performance": PERFORMANCE,
}

__all__ = ["RULES_BY_ASPECT", "Rule", "Rules"]
