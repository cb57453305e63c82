"""A provider that answers from a plain function or a rules file: for tests, examples and trying a flow for free."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import Reason, StepFailed, UsageError
from engine.providers.base import Progress, ProviderContext, Question, Readiness, Report
from engine.sample import smallest
from engine.step import Answer, Usage

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
            given = await given
        if isinstance(given, Answer):
            return given
        return Answer(value=given, provider=self.name, model=question.model)


def echo(question: Question) -> Any:
    """What is answered without rules: the smallest value that fits the schema, or the prompt itself."""
    if question.schema is None:
        return f"echo:{question.prompt}"
    try:
        return smallest(question.schema)
    except ValueError as error:
        raise StepFailed("unsupported", str(error), hint="script the answer in a rules file") from None


class RuleUsage(BaseModel):
    """The tokens and US dollars that a scripted answer reports."""

    model_config = ConfigDict(extra="forbid")

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None


class Rule(BaseModel):
    """One `[[rules]]` table: which prompts it takes, and how it answers or fails. `delay` is in seconds."""

    model_config = ConfigDict(extra="forbid")

    match: str = ""
    """A regular expression searched for in the prompt; the empty one takes every prompt."""
    reply: str | None = None
    value: Any = None
    """JSON to answer with, instead of `reply`."""
    fail: Reason | None = None
    message: str = "scripted failure"
    retry_after: float | None = None
    times: int | None = None
    """How often the rule applies; then the ones below it get their turn."""
    delay: float = Field(0.0, ge=0)
    progress: list[str] = []
    usage: RuleUsage = RuleUsage()


class Rules(BaseModel):
    """A rules file: TOML with `[[rules]]`, the first that matches answers."""

    model_config = ConfigDict(extra="forbid")

    rules: list[Rule] = []


class RuledProvider(FakeProvider):
    """The fake provider with a rules file; a prompt that no rule takes is echoed."""

    def __init__(self, rules: list[Rule], name: str = "fake") -> None:
        super().__init__(echo, name)
        self._rules = [(re.compile(rule.match, re.DOTALL), rule) for rule in rules]
        self._left = [rule.times for rule in rules]

    async def ask(self, question: Question, report: Report) -> Answer:
        """What the first rule that takes the prompt says."""
        rule = self._take(question.prompt)
        if rule is None:
            return await super().ask(question, report)
        for text in rule.progress:
            report(Progress("tool", text))
        await anyio.sleep(rule.delay)
        if rule.fail is not None:
            raise StepFailed(rule.fail, rule.message, provider=self.name, retry_after=rule.retry_after)
        value = rule.value if rule.value is not None else rule.reply
        usage = Usage(**rule.usage.model_dump())
        return Answer(
            value=echo(question) if value is None else value,
            usage=usage,
            provider=self.name,
            model=question.model,
        )

    def _take(self, prompt: str) -> Rule | None:
        for index, (pattern, rule) in enumerate(self._rules):
            left = self._left[index]
            if left != 0 and pattern.search(prompt):
                self._left[index] = None if left is None else left - 1
                return rule
        return None


def build(context: ProviderContext) -> FakeProvider:
    """The fake provider, with the rules file that `rules` in its settings or MCO_FAKE_RULES names."""
    path = context.options.get("rules") or context.environment.get(RULES_VARIABLE)
    if not path:
        return FakeProvider(echo, context.name)
    return RuledProvider(read_rules(Path(str(path))), context.name)


def read_rules(path: Path) -> list[Rule]:
    """The rules of a file. UsageError says what is wrong with it and where."""
    try:
        return Rules(**tomllib.loads(path.read_text(encoding="utf-8"))).rules
    except OSError as error:
        raise UsageError(
            "the fake provider's rules cannot be read", where=str(path), why=error.strerror
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            "a rule of the fake provider is wrong", where=f"{path}: {place}", why=first["msg"]
        ) from None
    except ValueError as error:
        raise UsageError("the rules are not valid TOML", where=str(path), why=str(error)) from None
