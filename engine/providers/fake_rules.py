"""The fake provider's rules: a TOML file that says which prompt is answered, or fails, in which way."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import Reason, StepFailed, UsageError
from engine.providers.base import Progress, Question, Report
from engine.providers.fake import FakeProvider, echo, heard_in_time
from engine.step import Answer, Usage


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
        await heard_in_time(anyio.sleep(rule.delay), question, self.name)
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
