"""What a reader of findings must know of the run that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from engine.json_value import is_list, is_object
from engine.text import clean_line

_INCOMPLETE = frozenset({"PARTIAL", "INCONCLUSIVE"})
"""Decisions that say that not everything was looked at."""

_MOST = 20


class About(NamedTuple):
    """One run. `decision` is what its workflow decided and `reason` why, "" where it does not say.

    `version` is mco's own.
    """

    run_id: str
    workflow: str
    status: str
    version: str
    notes: tuple[str, ...] = ()
    """What providers say of all their answers, such as that no language model was used."""
    decision: str = ""
    reason: str = ""
    missing: tuple[str, ...] = ()
    """Who was asked and gave nothing, or not all, each with the reason."""

    @property
    def complete(self) -> bool:
        """Whether everything was done that was asked for."""
        return self.status == "done" and self.decision not in _INCOMPLETE and not self.missing

    def with_result(self, result: Mapping[str, Any]) -> About:
        """The same with what the result itself says: its decision, and what is missing in it."""
        decision, reason = (_said(result, name, limit) for name, limit in (("decision", 40), ("reason", 300)))
        return self._replace(decision=decision, reason=reason, missing=tuple(islice(_missing(result), _MOST)))


def _said(result: Mapping[str, Any], name: str, limit: int) -> str:
    said = result.get(name)
    return clean_line(said, limit).strip() if isinstance(said, str) else ""


def _missing(result: Mapping[str, Any]) -> Iterator[str]:
    """Who failed: `reviewers` as `review-code` lists them, `reviews` and `answers` as those who ask several do."""
    for name in ("reviewers", "reviews", "answers"):
        entries = result.get(name)
        for entry in entries if is_list(entries) else []:
            if is_object(entry):
                who = entry.get("provider") or entry.get("reviewer")
                yield from (clean_line(f"{who}: {failure}", 300) for failure in _failures(entry))


def _failures(entry: Mapping[str, Any]) -> Iterator[str]:
    """Why one gave nothing, or what it left out."""
    failed, error, parts = entry.get("failed"), entry.get("error"), entry.get("missing")
    if isinstance(failed, str):
        yield failed
    elif entry.get("ok") is False:
        yield str(error.get("message") or error.get("reason")) if is_object(error) else "it failed"
    elif is_list(parts):
        yield from (part for part in parts if isinstance(part, str))
