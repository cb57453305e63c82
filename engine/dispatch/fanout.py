"""One step at one provider or several: the step's strategy over what each of them makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import anyio

from engine.dispatch.agreement import merge
from engine.dispatch.attempts import Asking
from engine.dispatch.shares import Shares
from engine.errors import Reason, StepFailed
from engine.providers.base import Progress, Provider
from engine.step import Answer, ProviderChoice, Step, Usage

BRIEFLY = 10.0
"""Seconds that a step waits for a paused provider while there is another that it may ask."""


class Asker(Protocol):
    """Asks single providers: `Attempts`, or who stands in for them."""

    @property
    def find(self) -> Callable[[str], Provider]:
        """Gives a provider by name."""
        ...

    @property
    def patience(self) -> float:
        """How many seconds a step waits for a provider that asks for it."""
        ...

    async def ask(self, asking: Asking, choice: ProviderChoice, patience: float) -> Answer:
        """The provider's answer. StepFailed when there is none."""
        ...


class Fanout:
    """Sends one step to its providers."""

    def __init__(self, attempts: Asker, shares: Shares | None = None) -> None:
        self._attempts = attempts
        self._shares = shares
        self._notes: dict[tuple[ProviderChoice, ...], str] = {}

    async def ask(self, asking: Asking) -> Answer:
        """The step's answer by its strategy. StepFailed when nobody gave one. Usage counts all that is known."""
        match asking.step.strategy:
            case "failover":
                return await self._failover(asking)
            case "race":
                return await self._race(asking)
            case "all":
                return _combined(await self._all(asking), lambda outcomes: [o.entry() for o in outcomes])
            case "agree":
                return _combined(
                    await self._all(asking),
                    lambda found: merge([(o.name, o.answer.value) for o in found if o.answer]),
                )

    def note(self, step: Step) -> str:
        """What a reader must know of answers to this step, such as that no model was used."""
        if step.providers not in self._notes:
            asked = [choice.name for choice in step.providers if choice.obstacle is None]
            notes = {note for name in asked if (note := self._attempts.find(name).note)}
            self._notes[step.providers] = "; ".join(sorted(notes))
        return self._notes[step.providers]

    async def _ask_one(self, asking: Asking, choice: ProviderChoice, patience: float | None = None) -> Answer:
        """The answer of one. When it has none, that is told: the answers of others must not hide it."""
        try:
            if choice.obstacle is not None:
                raise choice.obstacle.failure(choice.name)
            patience = self._attempts.patience if patience is None else patience
            return await self._attempts.ask(asking, choice, patience)
        except StepFailed as failure:
            if len(asking.step.providers) > 1:
                said = Progress("note", f"no answer from {choice.title}, {failure.reason}: {failure}")
                asking.watcher.progressed(choice.name, said)
            raise

    async def _share(self, asking: Asking, choice: ProviderChoice) -> Answer:
        """What one of several adds: found again, or asked for and kept at once, whatever becomes of the others."""
        if self._shares is None or len(asking.step.providers) == 1:
            return await self._ask_one(asking, choice)
        answer = self._shares.find(asking, choice)
        if answer is None:
            answer = await self._ask_one(asking, choice)
            await self._shares.keep(asking, choice, answer)
        return answer

    async def _failover(self, asking: Asking) -> Answer:
        failures: list[StepFailed] = []
        *others, last = asking.step.providers
        for choice in others:
            try:
                answer = await self._ask_one(asking, choice, min(BRIEFLY, self._attempts.patience))
            except StepFailed as failure:
                failures.append(failure)
            else:
                return _with_usage_of(answer, failures)
        try:
            answer = await self._ask_one(asking, last)
        except StepFailed as failure:
            raise _all_failed([*failures, failure]) from None
        return _with_usage_of(answer, failures)

    async def _race(self, asking: Asking) -> Answer:
        winners: list[Answer] = []
        failures: dict[int, StepFailed] = {}
        asking = asking._replace(lost=lambda: bool(winners))
        asking.turn.split(len(asking.step.providers))
        async with anyio.create_task_group() as tasks:

            async def run(place: int, choice: ProviderChoice) -> None:
                try:
                    answer = await self._ask_one(asking, choice)
                except StepFailed as failure:
                    failures[place] = failure
                else:
                    winners.append(answer)
                    tasks.cancel_scope.cancel()
                finally:
                    asking.turn.done()

            for place, choice in enumerate(asking.step.providers):
                tasks.start_soon(run, place, choice)
        lost = [failures[place] for place in sorted(failures)]
        if not winners:
            raise _all_failed(lost)
        # Some may have had their answer before they heard that they had lost: they cost what they cost.
        spent = _sum(answer.usage for answer in winners)
        return _with_usage_of(winners[0]._replace(usage=spent), lost)

    async def _all(self, asking: Asking) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        asking.turn.split(len(asking.step.providers))

        async def run(place: int, choice: ProviderChoice) -> None:
            try:
                answer = await self._share(asking, choice)
                outcomes[place] = Outcome(choice.title, answer, None)
            except StepFailed as failure:
                outcomes[place] = Outcome(choice.title, None, failure)
            finally:
                asking.turn.done()

        async with anyio.create_task_group() as tasks:
            for place, choice in enumerate(asking.step.providers):
                tasks.start_soon(run, place, choice)
        return [outcomes[place] for place in range(len(asking.step.providers))]


class Outcome(NamedTuple):
    """What one of several providers made of a step."""

    name: str
    answer: Answer | None
    failure: StepFailed | None

    def entry(self) -> dict[str, Any]:
        """As a script sees it under the strategy `all`."""
        error = (
            None if self.failure is None else {"reason": self.failure.reason, "message": str(self.failure)}
        )
        output = None if self.answer is None else self.answer.value
        return {"provider": self.name, "ok": self.answer is not None, "output": output, "error": error}


def _combined(outcomes: Sequence[Outcome], value: Callable[[Sequence[Outcome]], Any]) -> Answer:
    answers = [outcome.answer for outcome in outcomes if outcome.answer is not None]
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    if not answers:
        raise _all_failed(failures)
    combined = Answer(
        value=value(outcomes),
        usage=_sum(answer.usage for answer in answers),
        provider=", ".join(answer.provider for answer in answers),
        seconds=max(answer.seconds for answer in answers),
        patches=tuple(patch for answer in answers for patch in answer.patches),
        complete=not failures,
    )
    return _with_usage_of(combined, failures)


def _with_usage_of(answer: Answer, failures: Sequence[StepFailed]) -> Answer:
    """The answer, with what those who failed have spent as far as they said."""
    return answer._replace(usage=answer.usage + _spent(failures)) if failures else answer


def _spent(failures: Iterable[StepFailed]) -> Usage:
    return _sum(failure.usage for failure in failures if failure.usage is not None)


def _sum(usages: Iterable[Usage]) -> Usage:
    return sum(usages, Usage())


def _all_failed(failures: Sequence[StepFailed]) -> StepFailed:
    if len(failures) == 1:
        return failures[0]
    reasons: Counter[Reason] = Counter(failure.reason for failure in failures)
    said = "; ".join(f"{failure.provider}: {failure}" for failure in failures)
    reason = reasons.most_common(1)[0][0]
    return StepFailed(reason, f"every provider failed: {said}", usage=_spent(failures))
