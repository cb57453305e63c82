"""Stubs: answers that somebody wrote down by label, and the smallest ones that fit where nobody did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from inspect import isawaitable
from typing import Any, Literal, NamedTuple, cast, get_args

from engine.dispatch.answers import checked
from engine.dispatch.attempts import Asking
from engine.dispatch.fanout import Fanout
from engine.dispatch.needs import Sources
from engine.errors import REASONS, MCOError, Reason, StepFailed, UsageError
from engine.providers.registry import Registry
from engine.record.events import Answers
from engine.sample import smallest
from engine.schema import Schema
from engine.step import Answer, ProviderChoice, Step
from engine.text import clean_line

Reply = Callable[[Step], Any] | Callable[[Step], Awaitable[Any]]


class Failure(NamedTuple):
    """A stub that is no answer: the step fails with this reason."""

    reason: Reason
    message: str = "a stub fails here"


class Stubs:
    """Answers by label or pattern (`*`, `?`, `[…]`): an exact label goes first, then the patterns in their order.

    A stub is a value, an `Answer`, a `Failure`, or a function that is given the step. A step without one gets a
    `sample`, or is refused, which ends the run. `where` is the file they come from, for messages.
    """

    def __init__(
        self,
        answers: Mapping[str, Any],
        *,
        otherwise: Literal["sample", "refuse"] = "sample",
        where: str | None = None,
    ) -> None:
        self._answers = answers
        self._otherwise = otherwise
        self._where = where
        self._used: set[str] = set()
        self.sampled: list[str] = []
        """The labels of the steps for which there was no stub."""

    @property
    def unused(self) -> list[str]:
        """The labels and patterns that no step had."""
        return [pattern for pattern in self._answers if pattern not in self._used]

    def pattern(self, label: str) -> str | None:
        """The stub that takes a step of this label."""
        if label in self._answers:
            return label
        return next((pattern for pattern in self._answers if fnmatchcase(label, pattern)), None)

    async def answer(self, step: Step, choice: ProviderChoice) -> Answer:
        """The answer for one provider of a step. StepFailed where the stub says so, UsageError when it is wrong."""
        pattern = self.pattern(step.label)
        if pattern is None:
            given = self._without(step)
        else:
            self._used.add(pattern)
            given = await _said(self._answers[pattern], step)
        if isinstance(given, Failure):
            if given.reason not in REASONS:
                raise self._no_reason(step, given.reason)
            raise StepFailed(given.reason, given.message, provider=choice.name)
        answer = given if isinstance(given, Answer) else Answer(value=given)
        model = answer.model or choice.model or step.model
        return answer._replace(value=self._fitting(answer, step), provider=choice.name, model=model)

    def _without(self, step: Step) -> Any:
        if self._otherwise == "refuse":
            raise UsageError(
                f"there is no answer for the step {step.label!r}",
                where=self._where,
                why=f"it asks: {clean_line(step.prompt, 300)}",
                hint=_nearest(step.label, self._answers),
            )
        self.sampled.append(step.label)
        if step.schema is None:
            return f"[stub: {step.label}]"
        try:
            return smallest(step.schema)
        except ValueError as error:
            raise UsageError(
                f"no answer can be made up for the step {step.label!r}",
                where=self._where,
                why=str(error),
                hint="write one down for it, see --stubs",
            ) from None

    def _fitting(self, answer: Answer, step: Step) -> Any:
        if step.schema is None and not isinstance(answer.value, str):
            kind = type(answer.value).__name__
            raise self._wrong(step, f"a step without a schema is answered with a text, not with {kind}")
        try:
            return checked(answer, None if step.schema is None else Schema(step.schema))
        except StepFailed as failure:
            raise self._wrong(step, failure.what) from None

    def _no_reason(self, step: Step, given: object) -> UsageError:
        return UsageError(
            f"the failure for the step {step.label!r} has no such reason: {given!r}",
            where=self._where,
            hint=f"there are: {', '.join(get_args(Reason))}",
        )

    def _wrong(self, step: Step, why: str) -> UsageError:
        return UsageError(
            f"the answer for the step {step.label!r} does not fit",
            where=self._where,
            why=why,
            hint="mend the answer, or the step's schema",
        )


class StubbedRun:
    """Stands in for the providers with stubs; `find` gives a provider by name. Nothing is found or kept."""

    answers: Answers = "stubs"

    def __init__(self, stubs: Stubs, registry: Registry) -> None:
        self.stubs = stubs
        self._registry = registry

    def take_over(self, sources: Sources) -> Sources:
        """Stubs instead of the providers, under the same strategies."""
        return Sources(Fanout(_StubbedProviders(self.stubs, self._registry)), sources.store)


class _StubbedProviders:
    """Asks nobody: each provider of a step gives the step's stub."""

    patience = 0.0

    def __init__(self, stubs: Stubs, registry: Registry) -> None:
        self.find = registry.get
        self._stubs = stubs

    async def ask(self, asking: Asking, choice: ProviderChoice, patience: float) -> Answer:
        return await self._stubs.answer(asking.step, choice)


async def _said(stub: Any, step: Step) -> Any:
    if not callable(stub):
        return stub
    try:
        given: Any = cast("Reply", stub)(step)
        return await given if isawaitable(given) else given
    except MCOError:
        raise
    except Exception as error:  # a test's function: what it has to say of a prompt, or a mistake in it
        raise UsageError(
            f"the function that answers the step {step.label!r} raised",
            why=f"{type(error).__name__}: {error}",
        ) from error


def _nearest(label: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only a mistake pays for it

    names = list(known)
    near = get_close_matches(label, names, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are answers for: {', '.join(names)}" if names else "there are no answers at all"
