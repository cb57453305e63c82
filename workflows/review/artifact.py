"""What an artifact tree holds: a review told for people and for programs, and what came from each provider."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import __version__
from engine.json_value import is_list, is_object
from engine.record.folder import RunFolder, slug
from engine.text import clean_block, clean_line
from workflows.review.request import ReviewRequest
from workflows.review.tree import MADE_BY, Content

if TYPE_CHECKING:
    from engine.record.step_view import StepView
    from engine.record.view import RunView
    from engine.settings import Settings
    from engine.surroundings import RunOutcome

FORMAT = 1
_LABEL = 60
"""A step's label is cut to this many characters."""
_SETTINGS = ("access", "budget", "max_cost", "max_parallel", "retries", "stall_timeout", "timeout")


class Artifact(NamedTuple):
    """One finished run of a review. `findings` are documents, as they are believed; None where there are none."""

    request: ReviewRequest
    task_id: str
    workspace: Path
    settings: Settings
    outcome: RunOutcome
    view: RunView
    findings: list[dict[str, Any]] | None

    def files(self) -> dict[str, Content]:
        """Everything, by its name in the tree."""
        files: dict[str, Content] = {
            "summary.md": self._summary(),
            "run.json": _json(self._facts()),
        }
        if self.findings is not None:
            files["decision.md"] = self._decision()
            files["findings.json"] = _json({"task_id": self.task_id, "findings": self.findings})
        for one in self._answers():
            name = slug(one["provider"])
            files[f"providers/{name}.json"] = _json({**one, **self._figures(one["provider"])})
            raw = self._raw(one["provider"])
            if raw:
                files[f"raw/{name}.log"] = raw
        return files

    def _summary(self) -> bytes:
        report = clean_block(str(self._result.get("report", "")), 1_000_000)
        return f"{report.rstrip()}\n\n---\n\n{self._origin()}\n".encode()

    def _decision(self) -> bytes:
        counts = self._result.get("counts")
        listed = ", ".join(f"{number} {name}" for name, number in counts.items()) if is_object(counts) else ""
        lines = [
            f"# {clean_line(str(self._result.get('decision')))}",
            "",
            clean_block(str(self._result.get("reason"))),
            "",
            f"Findings: {listed}",
            "",
            self._origin(),
        ]
        return ("\n".join(lines) + "\n").encode()

    def _origin(self) -> str:
        return f"Task `{self.task_id}`, run `{self.outcome.run_id}`, {self.outcome.status}."

    def _facts(self) -> dict[str, Any]:
        request, settings = self.request, self.settings.model_dump(mode="json")
        return {
            "made_by": MADE_BY,
            "format": FORMAT,
            "kind": request.kind,
            "task_id": self.task_id,
            "run_id": self.outcome.run_id,
            "status": self.outcome.status,
            "decision": self._result.get("decision"),
            "reason": self._result.get("reason"),
            "workspace": str(self.workspace),
            "target_paths": list(request.scope.targets),
            "allow_paths": list(request.scope.allowed),
            "permissions": request.permissions(),
            "hashes": request.hashes(),
            "providers": [
                {
                    "provider": one["provider"],
                    "ok": one.get("ok"),
                    "reason": _reason(one),
                    **self._figures(one["provider"]),
                }
                for one in self._answers()
            ],
            "settings": {
                **{name: settings[name] for name in _SETTINGS},
                "enforcement_mode": request.enforcement,
                "strict_contract": request.strict_contract,
                "review_hard_timeout": request.timeout,
                "stall_timeout": request.stall_timeout or settings["stall_timeout"],
                "provider_timeouts": {
                    one.title: one.stall_timeout for one in request.reviewers if one.stall_timeout is not None
                },
            },
            "started_at": self.view.started_at,
            "seconds": round(self.outcome.seconds, 3),
            "mco": __version__,
        }

    @property
    def _result(self) -> Mapping[str, Any]:
        return self.outcome.result if is_object(self.outcome.result) else {}

    def _answers(self) -> list[dict[str, Any]]:
        """What the flow says of each provider, in its order."""
        listed = self._result.get("reviews" if self.request.kind == "review" else "answers")
        entries = listed if is_list(listed) else []
        return [dict(one) for one in entries if is_object(one) and isinstance(one.get("provider"), str)]

    def _steps(self, title: str) -> list[StepView]:
        label = clean_line(title, _LABEL)
        return [
            step
            for step in self.view.steps.values()
            if step.label == label or (title == "builtin" and step.label.startswith("builtin: "))
        ]

    def _figures(self, title: str) -> dict[str, Any]:
        """What its steps took; null where nobody measured."""
        steps = self._steps(title)
        usages = [step.usage for step in steps if step.state != "reused"]
        total = sum(usages[1:], usages[0]) if usages else None
        reused = [step.from_run for step in steps if step.state == "reused"]
        return {
            "model": next((step.model for step in steps if step.model), None),
            "attempts": sum(step.attempt for step in steps),
            "seconds": _longest(step.seconds for step in steps),
            "usage": {name: getattr(total, name, None) for name in _USAGE},
            "reused_from": next(iter(reused), None),
        }

    def _raw(self, title: str) -> list[Path]:
        """What its program printed, attempt by attempt."""
        folder = RunFolder(self.outcome.folder).steps
        return [
            path
            for step in self._steps(title)
            for path in sorted(folder.glob(f"{step.number}-*.raw"), key=_attempt)
        ]


_USAGE = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost")


def _attempt(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def _longest(seconds: Iterable[float | None]) -> float | None:
    known = [each for each in seconds if each is not None]
    return round(max(known), 3) if known else None


def _reason(one: Mapping[str, Any]) -> str | None:
    error = one.get("error")
    return str(error.get("reason")) if is_object(error) else None


def _json(value: Any) -> bytes:
    # ASCII: what models wrote steers no terminal that this is shown on.
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()
