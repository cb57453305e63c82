"""How a prompt to several providers ends: the decision as exit code, the findings whole, the artifacts written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import MCOError
from engine.json_value import is_object
from workflows.cli.caller import Caller
from workflows.cli.failure import describe
from workflows.cli.finished import Finished
from workflows.cli.review_options import ResultMode
from workflows.cli.runner import EXIT_CODES, near
from workflows.review.artifact import Artifact
from workflows.review.request import ReviewRequest
from workflows.review.tree import ReviewTree

if TYPE_CHECKING:
    from engine.record.view import RunView
    from engine.settings import Settings
    from engine.surroundings import RunOutcome

DECISIONS = {"PASS": 0, "FAIL": 1, "ESCALATE": 1, "PARTIAL": 3, "INCONCLUSIVE": 3}
"""Exit codes of a review that came to its end."""


class Ending(NamedTuple):
    """How a command ends such a run: the decision as exit code, the findings whole, the tree written."""

    request: ReviewRequest
    caller: Caller
    settings: Settings
    base: Path
    task_id: str | None
    mode: ResultMode

    def finish(self, outcome: RunOutcome, view: RunView) -> Finished:
        """What is shown of the run."""
        task_id = self.task_id or outcome.run_id
        tree = None if self.mode == "stdout" else ReviewTree(self.base / task_id)
        if outcome.error is not None or not is_object(outcome.result):
            said = self._stale(tree)
            return Finished(
                outcome, EXIT_CODES[outcome.status], {"task_id": task_id, "artifacts": None}, said
            )
        findings = self._findings(outcome)
        result = {**outcome.result, **({} if findings is None else {"findings": findings})}
        code = self._code(outcome, result)
        said: tuple[str, ...] = ()
        written: str | None = None
        if tree is not None:
            try:
                said, written = self._write(tree, task_id, outcome, view, findings), str(tree.path)
            except MCOError as error:  # the review itself is shown all the same
                said, code = (describe(error),), max(code, error.exit_code)
        brief = _brief(result, findings, written) if self.mode == "artifact" and written else None
        decision = {"decision": result.get("decision")} if self.request.kind == "review" else {}
        facts = {**decision, "task_id": task_id, "artifacts": written}
        return Finished(outcome._replace(result=result), code, facts, said, brief)

    def _findings(self, outcome: RunOutcome) -> list[dict[str, Any]] | None:
        if self.request.kind != "review":
            return None
        from workflows.findings.reading import read_findings

        read = read_findings(outcome.result, self.caller.places.workspace)
        return [] if read is None else [finding.document() for finding in read.found]

    def _code(self, outcome: RunOutcome, result: Mapping[str, Any]) -> int:
        """The run's own where it did not come to a decision; a decision never makes a failed run a good one."""
        if self.request.kind != "review" or outcome.status not in ("done", "partial"):
            return EXIT_CODES[outcome.status]
        return _decided(outcome, result)

    def _write(
        self,
        tree: ReviewTree,
        task_id: str,
        outcome: RunOutcome,
        view: RunView,
        findings: list[dict[str, Any]] | None,
    ) -> tuple[str, ...]:
        artifact = Artifact(
            self.request, task_id, self.caller.places.workspace, self.settings, outcome, view, findings
        )
        replaced = tree.is_ours()
        tree.write(artifact.files())
        return (f"{'replaced' if replaced else 'wrote'} {near(tree.path, self.caller.folder)}",)

    def _stale(self, tree: ReviewTree | None) -> tuple[str, ...]:
        """No tree was written; one that stands there must not be taken for this run's."""
        if tree is None or self.task_id is None or not tree.path.exists():
            return ()
        place = near(tree.path, self.caller.folder)
        return (f"warning: {place} is of an earlier run: this one wrote nothing there",)


def as_decided(outcome: RunOutcome, view: RunView) -> Finished:
    """How a review ends that was taken up again: by its decision, without artifacts."""
    if outcome.status not in ("done", "partial") or not is_object(outcome.result):
        return Finished(outcome, EXIT_CODES[outcome.status])
    decision = outcome.result.get("decision")
    said = f"decision: {decision}; `mco review` with the same options writes the artifacts, and reuses every step"
    return Finished(outcome, _decided(outcome, outcome.result), {"decision": decision}, (said,))


def _decided(outcome: RunOutcome, result: Mapping[str, Any]) -> int:
    return DECISIONS.get(str(result.get("decision")), EXIT_CODES["failed"]) or EXIT_CODES[outcome.status]


def _brief(result: Mapping[str, Any], findings: list[Any] | None, written: str) -> str:
    """What stdout says where the result itself is in the tree."""
    facts = [] if findings is None else [f"decision: {result.get('decision')}", f"findings: {len(findings)}"]
    return "\n".join([*facts, f"artifacts: {written}"])
