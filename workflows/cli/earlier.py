"""What a run that is taken up again says of itself, and what of that holds again: only what narrows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import UsageError
from engine.json_value import is_object
from engine.record.plain_file import read_plain
from workflows.cli.outlet import tell

if TYPE_CHECKING:
    from engine.record.view import RunView
    from engine.settings import Settings
    from engine.step import Access
    from engine.surroundings import RunOutcome
    from workflows.cli.finished import Finished
    from workflows.runs import RunRecord

_WIDER: Mapping[str, tuple[str, ...]] = {"read": ("write", "full"), "write": ("full",), "full": ()}
_CEILINGS = ("budget", "max_cost")
_REVIEW = "builtin:review"


class Earlier(NamedTuple):
    """The facts of a run's `run.json`; its folder may have come with a cloned repository, so nothing in it widens."""

    run_id: str
    reference: str
    args: Mapping[str, Any]
    settings: Mapping[str, Any]
    untrusted: bool
    """It narrows, so it holds again."""

    @classmethod
    def of(cls, record: RunRecord) -> Earlier:
        """What was run. UsageError when the run no longer says."""
        path = record.folder.run_json
        try:
            facts: Any = json.loads(read_plain(path))
        except (OSError, ValueError, RecursionError) as error:
            raise _unusable(path, str(error)) from None
        if not is_object(facts):
            raise _unusable(path, "it is not a JSON object")
        reference, args, settings = facts.get("reference"), facts.get("args"), facts.get("settings")
        if not isinstance(reference, str) or not is_object(args):
            raise _unusable(path, "it does not say which workflow ran with which arguments")
        known: Mapping[str, Any] = settings if is_object(settings) else {}
        return cls(record.run_id, reference, args, known, facts.get("untrusted") is True)

    @property
    def provider(self) -> str | None:
        """The provider that it was given: another one's answers would not be the same steps."""
        name = self.settings.get("provider")
        return name if isinstance(name, str) else None

    def ceilings(self, now: Settings, given: Mapping[str, object]) -> dict[str, float]:
        """What it might spend, where that is less than would be allowed now and nothing else is said."""
        lower: dict[str, float] = {}
        for name in _CEILINGS:
            before: Any = self.settings.get(name)
            allowed: float | None = getattr(now, name)
            if type(before) not in (int, float) or before <= 0 or name in given:
                continue
            if allowed is None or before < allowed:
                lower[name] = before
        return lower

    def tell_wider_access(self, now: Access) -> None:
        """Say when it was allowed more access: steps that need it are refused now."""
        before: Any = self.settings.get("access")
        if before in _WIDER[now]:
            again = f"mco resume {self.run_id} --access {before}"
            tell(f"note: that run was allowed {before} access, this one {now}; to allow it again: {again}")

    def finish(self) -> Callable[[RunOutcome, RunView], Finished] | None:
        """A review ends with its decision here too; its artifacts are written by `mco review`."""
        if self.reference != _REVIEW:
            return None
        from workflows.cli.review_ending import as_decided

        return as_decided


def _unusable(path: Path, why: str) -> UsageError:
    return UsageError(
        "the run cannot be taken up again",
        where=str(path),
        why=why,
        hint="start it anew with `mco run`: finished steps are reused all the same",
    )
