"""The exceptions that a script can meet beyond Python's own. Plain classes: nothing on them but text."""

from __future__ import annotations


class AgentError(Exception):
    """Every attempt at a step failed; `reason` is one word of the known kinds, `provider` a name or None."""

    def __init__(self, message: str = "", reason: str | None = None, provider: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.provider = provider


class LimitExceeded(Exception):
    """A limit of the run was reached, such as its number of steps."""


class BudgetExceeded(Exception):
    """A budget in tokens or money was reached."""


CEILINGS = (BudgetExceeded, LimitExceeded)
FAILURES: dict[str, type[Exception]] = {
    "AgentError": AgentError,
    "BudgetExceeded": BudgetExceeded,
    "LimitExceeded": LimitExceeded,
    "TypeError": TypeError,
    "ValueError": ValueError,
}


def failure(error: dict[str, str | None]) -> Exception:
    """What the host's `fail` frame means for the script."""
    kind = error["type"] or "AgentError"
    message = error["message"] or ""
    if kind == "AgentError":
        return AgentError(message, error.get("reason"), error.get("provider"))
    return FAILURES[kind](message)
