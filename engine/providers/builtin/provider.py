"""Takes a typed task to whatever does it, and refuses everything else. It never reads a prompt."""

from __future__ import annotations

from typing import Any

from engine.errors import StepFailed
from engine.providers.base import ProviderContext, Question, Readiness, Report
from engine.step import Answer

NO_MODEL = "no language model was used"
_WAY_OUT = "a coding agent can do this: name one with --provider; `mco doctor` says which are ready"


class BuiltinProvider:
    """Reviews Python by static analysis, and searches, fetches and verifies local text. No tokens, so none reported."""

    capabilities = frozenset({"task:review", "task:search", "task:fetch", "task:verify"})
    note = NO_MODEL

    def __init__(self, context: ProviderContext) -> None:
        self.name = context.name
        self._context = context
        self._library: Any = None

    def readiness(self) -> Readiness:
        """Always: it needs nothing that does not come with mco."""
        return Readiness(True)

    async def ask(self, question: Question, report: Report) -> Answer:
        """Do the typed task of a question; `unsupported` when there is none, or none of ours."""
        value = await self._do(self._task(question), question, report)
        return Answer(value=value, provider=self.name)

    def _task(self, question: Question) -> Any:
        # Imported when first asked: building a provider to look at its readiness stays free of pydantic.
        from engine.providers.builtin.tasks import TaskRefused, read_task

        if question.task is None:
            raise self._unsupported("answers typed tasks only and cannot act on a prompt")
        try:
            return read_task(question.task)
        except TaskRefused as error:
            raise self._unsupported(f"cannot do this task: {error}") from None

    async def _do(self, task: Any, question: Question, report: Report) -> dict[str, Any]:
        from engine.providers.builtin import excerpts, quotes, tasks
        from engine.providers.builtin.review import review

        match task:
            case tasks.ReviewTask():
                return await review(task, question, self._context.environment, report)
            case tasks.SearchTask():
                return await self._search(task, question, report)
            case tasks.FetchTask():
                return await excerpts.fetch(task, question.workspace)
            case _:
                return await quotes.verify(task, question.workspace)

    async def _search(self, task: Any, question: Question, report: Report) -> dict[str, Any]:
        from engine.providers.builtin.search import Library

        if self._library is None:
            self._library = Library(self._context.cache_folder)
        return await self._library.search(task, question.workspace, report)

    def _unsupported(self, what: str) -> StepFailed:
        return StepFailed(
            "unsupported", f"the provider {self.name!r} {what}", provider=self.name, hint=_WAY_OUT
        )
