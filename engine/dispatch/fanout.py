"""One step at one provider or several: attempts with retries, then the step's strategy over them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import anyio

from engine.dispatch.agreement import merge
from engine.dispatch.answers import asked, checked
from engine.dispatch.retry import delay_before_retry
from engine.errors import Reason, StepFailed
from engine.providers.base import Progress, Provider, Question
from engine.record.folder import slug
from engine.schema import Schema
from engine.step import Answer, ProviderChoice, Step, Usage


class Watcher(Protocol):
    """Hears what happens to a step while it is asked."""

    def started(self, provider: str, attempt: int) -> None:
        """An attempt (counted from 1) begins."""
        ...

    def progressed(self, provider: str, progress: Progress) -> None:
        """The provider says what it is doing."""
        ...

    def retried(self, provider: str, attempt: int, failure: StepFailed, delay: float) -> None:
        """An attempt failed; the next begins after `delay` seconds."""
        ...


class Manner(NamedTuple):
    """How attempts are made: defaults of the settings, and where time and chance come from. Times in seconds."""

    workspace: Path
    timeout: float | None
    stall_timeout: float
    retries: int
    jitter: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


class Fanout:
    """Sends one step to its providers. `find` gives a provider by name."""

    def __init__(self, find: Callable[[str], Provider], manner: Manner) -> None:
        self._find = find
        self._manner = manner
        self._notes: dict[tuple[ProviderChoice, ...], str] = {}

    async def ask(self, step: Step, watcher: Watcher, stem: str | None = None) -> Answer:
        """The step's answer by its strategy. StepFailed when nobody gave one.

        Adapters may keep what their programs printed in files whose names begin with `stem`.
        """
        match step.strategy:
            case "failover":
                return await self._failover(step, watcher, stem)
            case "race":
                return await self._race(step, watcher, stem)
            case "all":
                return _combined(
                    await self._all(step, watcher, stem), lambda outcomes: [o.entry() for o in outcomes]
                )
            case "agree":
                outcomes = await self._all(step, watcher, stem)
                return _combined(
                    outcomes, lambda found: merge([(o.name, o.answer.value) for o in found if o.answer])
                )

    def note(self, step: Step) -> str:
        """What a reader must know of answers to this step, such as that no model was used."""
        if step.providers not in self._notes:
            notes = {note for choice in step.providers if (note := self._find(choice.name).note)}
            self._notes[step.providers] = "; ".join(sorted(notes))
        return self._notes[step.providers]

    async def _ask_one(
        self, step: Step, choice: ProviderChoice, watcher: Watcher, stem: str | None
    ) -> Answer:
        provider = self._find(choice.name)
        schema = None if step.schema is None else Schema(step.schema)
        prompt, attempt = step.prompt, 0
        while True:
            attempt += 1
            watcher.started(choice.name, attempt)
            raw = Path(f"{stem}.{slug(choice.title)}-{attempt}.raw") if stem else None
            question = self._question(step, choice, prompt, raw)
            try:
                return await self._attempt(provider, question, schema, watcher)
            except StepFailed as error:
                failure = error
            failure.provider = failure.provider or choice.name
            delay = self._delay(step, attempt, failure)
            if delay is None:
                raise failure
            watcher.retried(choice.name, attempt, failure, delay)
            await self._manner.sleep(delay)
            if failure.reason == "bad_output":
                prompt = _corrected(step.prompt, failure)

    def _delay(self, step: Step, attempt: int, failure: StepFailed) -> float | None:
        retries = self._manner.retries if step.retries is None else step.retries
        return delay_before_retry(
            failure.reason, attempt, retries, failure.retry_after, self._manner.jitter()
        )

    async def _attempt(
        self, provider: Provider, question: Question, schema: Schema | None, watcher: Watcher
    ) -> Answer:
        started = time.monotonic()

        def report(progress: Progress) -> None:
            watcher.progressed(provider.name, progress)

        # Providers with a process of their own end it at the deadline; this one holds for the others too.
        answer: Answer | None = None
        if question.timeout is None:
            answer = await asked(provider, question, report)
        else:
            with anyio.move_on_after(question.timeout):
                answer = await asked(provider, question, report)
        if answer is None:
            raise StepFailed("timeout", f"no answer within {question.timeout:g} s", provider=provider.name)
        return answer._replace(
            value=checked(answer, schema),
            provider=provider.name,
            seconds=answer.seconds or time.monotonic() - started,
        )

    def _question(self, step: Step, choice: ProviderChoice, prompt: str, raw: Path | None) -> Question:
        return Question(
            prompt=prompt,
            raw=raw,
            schema=step.schema,
            model=choice.model or step.model,
            effort=step.effort,
            agent_type=step.agent_type,
            task=step.task,
            access=choice.access or step.access,
            max_tool_calls=step.max_tool_calls,
            workspace=self._manner.workspace,
            timeout=choice.timeout or step.timeout or self._manner.timeout,
            stall_timeout=step.stall_timeout or self._manner.stall_timeout,
        )

    async def _failover(self, step: Step, watcher: Watcher, stem: str | None) -> Answer:
        failures: list[StepFailed] = []
        for choice in step.providers:
            try:
                return await self._ask_one(step, choice, watcher, stem)
            except StepFailed as failure:
                failures.append(failure)
        raise _all_failed(failures)

    async def _race(self, step: Step, watcher: Watcher, stem: str | None) -> Answer:
        winners: list[Answer] = []
        failures: list[StepFailed] = []
        async with anyio.create_task_group() as tasks:

            async def run(choice: ProviderChoice) -> None:
                try:
                    answer = await self._ask_one(step, choice, watcher, stem)
                except StepFailed as failure:
                    failures.append(failure)
                else:
                    winners.append(answer)
                    tasks.cancel_scope.cancel()

            for choice in step.providers:
                tasks.start_soon(run, choice)
        if not winners:
            raise _all_failed(failures)
        return winners[0]

    async def _all(self, step: Step, watcher: Watcher, stem: str | None) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}

        async def run(place: int, choice: ProviderChoice) -> None:
            try:
                answer = await self._ask_one(step, choice, watcher, stem)
                outcomes[place] = Outcome(choice.title, answer, None)
            except StepFailed as failure:
                outcomes[place] = Outcome(choice.title, None, failure)

        async with anyio.create_task_group() as tasks:
            for place, choice in enumerate(step.providers):
                tasks.start_soon(run, place, choice)
        return [outcomes[place] for place in range(len(step.providers))]


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
    if not answers:
        raise _all_failed([outcome.failure for outcome in outcomes if outcome.failure is not None])
    return Answer(
        value=value(outcomes),
        usage=sum((answer.usage for answer in answers), Usage()),
        provider=", ".join(answer.provider for answer in answers),
        seconds=max(answer.seconds for answer in answers),
    )


def _all_failed(failures: Sequence[StepFailed]) -> StepFailed:
    if len(failures) == 1:
        return failures[0]
    reasons: Counter[Reason] = Counter(failure.reason for failure in failures)
    said = "; ".join(f"{failure.provider}: {failure}" for failure in failures)
    return StepFailed(reasons.most_common(1)[0][0], f"every provider failed: {said}")


def _corrected(prompt: str, failure: StepFailed) -> str:
    return (
        f"{prompt}\n\nYour last answer could not be used: {failure.what}\nAnswer again, with that put right."
    )
