"""A provider that answers from a plain function or a rules file: for tests, examples and trying a flow for free."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio

from engine.errors import StepFailed
from engine.providers.base import ProviderContext, Question, Readiness, Report
from engine.providers.table import check_names
from engine.sample import smallest
from engine.step import Answer

RULES_VARIABLE = "MCO_FAKE_RULES"
Reply = Callable[[Question], Any] | Callable[[Question], Awaitable[Any]]


class FakeProvider:
    """Answers with what `reply(question)` returns (text, JSON or an `Answer`; awaitable or not) or raises."""

    capabilities = frozenset({"text", "schema", "tools", "edit", "web"})
    note = "answered by the fake provider"

    def __init__(self, reply: Reply, name: str = "fake") -> None:
        self.name = name
        self._reply = reply

    def readiness(self) -> Readiness:
        """Always ready."""
        return Readiness(True)

    async def ask(self, question: Question, report: Report) -> Answer:
        """Whatever the function says."""
        given: Any = self._reply(question)
        if inspect.isawaitable(given):
            given = await heard_in_time(given, question, self.name)
        if isinstance(given, Answer):
            return given
        return Answer(value=given, provider=self.name, model=question.model)


async def heard_in_time(reply: Awaitable[Any], question: Question, name: str) -> Any:
    """A reply; `stalled` when it takes as long as a provider may be silent."""
    with anyio.move_on_after(question.stall_timeout):
        return await reply
    raise StepFailed("stalled", f"silent for {question.stall_timeout:g} s", provider=name)


def echo(question: Question) -> Any:
    """What is answered without rules: the smallest value that fits the schema, or the prompt itself."""
    if question.schema is None:
        return f"echo:{question.prompt}"
    try:
        return smallest(question.schema)
    except ValueError as error:
        raise StepFailed("unsupported", str(error), hint="script the answer in a rules file") from None


def build(context: ProviderContext) -> FakeProvider:
    """The fake provider, with the rules file that `rules` in its settings or MCO_FAKE_RULES names."""
    check_names(context.name, context.options, ["rules"])
    path = context.options.get("rules") or context.environment.get(RULES_VARIABLE)
    if not path:
        return FakeProvider(echo, context.name)
    from engine.providers.fake_rules import RuledProvider, read_rules  # most go without

    return RuledProvider(read_rules(Path(str(path))), context.name)
