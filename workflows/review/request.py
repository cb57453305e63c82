"""What one command asks of several providers, and how it reaches the flow."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from engine.step import canonical, digest_of
from workflows.review.permissions import Enforcement
from workflows.review.reviewers import Reviewer
from workflows.review.scope import Scope

Kind = Literal["review", "ask"]
FLOWS: dict[Kind, str] = {"review": "builtin:review", "ask": "builtin:ask-all"}
"""The catalog's own, whatever a project calls by these names."""


class ReviewRequest(NamedTuple):
    """One prompt to several providers. Times are in seconds; an empty prompt is the flow's own."""

    kind: Kind
    prompt: str
    reviewers: tuple[Reviewer, ...]
    scope: Scope
    enforcement: Enforcement = "strict"
    strict_contract: bool = False
    timeout: float | None = None
    stall_timeout: float | None = None

    @property
    def flow(self) -> str:
        """The workflow that does it."""
        return FLOWS[self.kind]

    def arguments(self) -> dict[str, Any]:
        """What the flow is given."""
        times = {"timeout": self.timeout, "stall_timeout": self.stall_timeout}
        contract = {"strict_contract": self.strict_contract} if self.kind == "review" else {}
        return {
            "prompt": self.prompt,
            "providers": [one.argument() for one in self.reviewers],
            "target_paths": list(self.scope.targets),
            "allow_paths": list(self.scope.allowed),
            **contract,
            **{name: seconds for name, seconds in times.items() if seconds is not None},
        }

    def permissions(self) -> dict[str, Any]:
        """What each provider is asked with."""
        return {one.title: {"access": one.access} for one in self.reviewers}

    def hashes(self) -> dict[str, str]:
        """SHA-256 over canonical JSON, to compare two reviews without reading them."""
        hashed = {
            "prompt": self.prompt,
            "target_paths": list(self.scope.targets),
            "allow_paths": list(self.scope.allowed),
            "permissions": self.permissions(),
        }
        return {name: digest_of(canonical(value)) for name, value in hashed.items()}
