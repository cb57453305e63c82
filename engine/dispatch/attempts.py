"""A step at one provider: attempts, each through the provider's gate, until one is good or none can heal any more."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple, Protocol

import anyio

from engine.dispatch.answers import asked, checked
from engine.dispatch.gate import StillPaused
from engine.dispatch.places import Turn
from engine.dispatch.retry import LONGEST_PATIENCE, delay_before_retry
from engine.dispatch.traffic import Traffic
from engine.errors import StepFailed
from engine.providers.base import Progress, Provider, Question
from engine.record.folder import slug
from engine.schema import Schema
from engine.settings import Settings
from engine.step import NO_USAGE, Answer, Key, ProviderChoice, Step
from engine.worktree.worktrees import OpenWorktree, Whose, Worktrees


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
    patience: float = LONGEST_PATIENCE
    """How long a step waits for a provider that asks for it."""
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    @classmethod
    def of(cls, settings: Settings, workspace: Path, jitter: Callable[[], float]) -> Manner:
        """As the settings want it."""
        return cls(
            workspace=workspace,
            timeout=settings.timeout,
            stall_timeout=settings.stall_timeout,
            retries=settings.retries,
            jitter=jitter,
            patience=settings.patience,
        )


class Asking(NamedTuple):
    """One step that is being asked: who watches it, its place, and where adapters keep what their programs print."""

    step: Step
    watcher: Watcher
    turn: Turn
    stem: str | None = None
    key: Key | None = None
    number: int = 0
    lost: Callable[[], bool] = bool
    """Whether another provider has won, so that what this one did is not wanted any more."""

    def raw(self, choice: ProviderChoice, attempt: int) -> Path | None:
        """The file for one attempt."""
        return Path(f"{self.stem}.{slug(choice.title)}-{attempt}.raw") if self.stem else None


class Attempts:
    """Asks single providers. `find` gives one by name."""

    def __init__(
        self,
        find: Callable[[str], Provider],
        manner: Manner,
        traffic: Traffic,
        worktrees: Worktrees | None = None,
    ) -> None:
        self.find = find
        self._manner = manner
        self._traffic = traffic
        self._worktrees = worktrees

    @property
    def patience(self) -> float:
        """How long a step waits for a provider that asks for it."""
        return self._manner.patience

    async def ask(self, asking: Asking, choice: ProviderChoice, patience: float) -> Answer:
        """The provider's answer, whose usage counts the attempts that failed too. StepFailed when there is none."""
        step = asking.step
        schema = None if step.schema is None else Schema(step.schema)
        prompt, attempt, wasted = step.prompt, 0, NO_USAGE
        while True:
            attempt += 1
            question = self._question(step, choice, prompt, asking.raw(choice, attempt))
            try:
                answer = await self._attempt(
                    asking, choice, attempt, question, schema=schema, patience=patience
                )
            except StepFailed as error:
                failure = error
            else:
                return answer if attempt == 1 else answer._replace(usage=answer.usage + wasted)
            failure.provider = failure.provider or choice.name
            failure.usage = wasted = wasted + (failure.usage or NO_USAGE)
            delay = (
                None if isinstance(failure, StillPaused) else self._delay(step, attempt, failure, patience)
            )
            if delay is None:
                raise failure
            asking.watcher.retried(choice.name, attempt, failure, delay)
            if failure.reason == "bad_output":
                prompt = _corrected(step.prompt, failure)
            # Who only corrects an answer goes on; others may work while somebody waits.
            async with asking.turn.resting() if delay > 0 else nullcontext():
                await self._manner.sleep(delay)

    def _delay(self, step: Step, attempt: int, failure: StepFailed, patience: float) -> float | None:
        retries = self._manner.retries if step.retries is None else step.retries
        return delay_before_retry(
            failure.reason, attempt, retries, failure.retry_after, self._manner.jitter(), patience=patience
        )

    async def _attempt(
        self,
        asking: Asking,
        choice: ProviderChoice,
        attempt: int,
        question: Question,
        *,
        schema: Schema | None,
        patience: float,
    ) -> Answer:
        provider = self.find(choice.name)
        async with self._traffic.passage(choice.name, patience, asking.turn.resting):
            asking.watcher.started(choice.name, attempt)

            async def ask(question: Question) -> Answer:
                started = time.monotonic()
                answer = await self._in_time(provider, question, asking.watcher)
                return answer._replace(
                    value=_usable(answer, schema),
                    provider=provider.name,
                    seconds=answer.seconds or time.monotonic() - started,
                    patches=(),
                )

            if asking.step.isolation is None or self._worktrees is None:
                return await ask(question)
            whose = Whose(asking.step, asking.number, choice.title, attempt)
            return await _apart(await self._worktrees.open(whose), question, ask, asking.lost)

    async def _in_time(self, provider: Provider, question: Question, watcher: Watcher) -> Answer:
        def report(progress: Progress) -> None:
            watcher.progressed(provider.name, progress)

        # Providers with a process of their own end it at the deadline; this one holds for the others too.
        if question.timeout is None:
            return await asked(provider, question, report)
        with anyio.move_on_after(question.timeout):
            return await asked(provider, question, report)
        raise StepFailed("timeout", f"no answer within {question.timeout:g} s", provider=provider.name)

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


async def _apart(
    tree: OpenWorktree,
    question: Question,
    ask: Callable[[Question], Awaitable[Answer]],
    lost: Callable[[], bool],
) -> Answer:
    """Ask with a worktree instead of the workspace, and see to it that what was changed there is kept."""
    try:
        answer = await ask(question._replace(workspace=tree.folder))
    except BaseException as error:
        if lost():
            await tree.drop()
        else:
            await tree.set_aside(error.reason if isinstance(error, StepFailed) else "cancelled")
        raise
    if lost():
        await tree.drop()
        return answer
    try:
        return answer._replace(patches=await tree.keep())
    except StepFailed as failure:
        failure.usage = answer.usage  # it was paid for all the same
        raise


def _usable(answer: Answer, schema: Schema | None) -> object:
    try:
        return checked(answer, schema)
    except StepFailed as failure:
        failure.usage = answer.usage  # it was paid for all the same
        raise


def _corrected(prompt: str, failure: StepFailed) -> str:
    return (
        f"{prompt}\n\nYour last answer could not be used: {failure.what}\nAnswer again, with that put right."
    )
