"""Records a cassette: listens to what a run finds and to what it is answered, and changes nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.dispatch.needs import Answerer, AnswerStore, Sources
from engine.errors import StepFailed
from engine.providers.registry import Registry, readiness_of
from engine.record.events import Answers, Event, RunFinished, RunStarted, Status, Tokens
from engine.record.steps import Miss
from engine.stand_ins.asked import Asked, Counting
from engine.stand_ins.cassette import (
    Cassette,
    RecordedAnswer,
    RecordedFailure,
    RecordedProvider,
    RecordedStep,
)
from engine.step import Answer, Key, Step
from engine.text import clean_block

if TYPE_CHECKING:
    from engine.dispatch.attempts import Asking
    from engine.store.kept import KeptAnswer


@dataclass(slots=True)
class Heard:
    """One step that was let in; `outcome` is None until it has one."""

    step: Step
    asked: Asked
    workspace: str | None
    outcome: Answer | StepFailed | None = None


class Recorder:
    """Listens to one run. It is a view of it as well, for what the cassette says of the run as a whole."""

    answers: Answers = "providers"

    def __init__(self) -> None:
        self._counting = Counting()
        self.heard: dict[str, Heard] = {}
        """By key, in the order of the calls."""
        self._started: RunStarted | None = None
        self._status: Status = "failed"

    def take_over(self, sources: Sources) -> Sources:
        """The same sources, overheard."""
        return Sources(_Overheard(self, sources.answerer), _Noted(self, sources.store))

    def apply(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, RunStarted):
            self._started = event
        elif isinstance(event, RunFinished):
            self._status = event.status

    def begins(self, step: Step, key: Key) -> None:
        """A step was let in; steps are told in the order of the calls, and perhaps again."""
        if key.digest not in self.heard:
            self.heard[key.digest] = Heard(step, self._counting.next(key), key.parts["workspace"])

    def ends(self, key: Key | None, outcome: Answer | StepFailed) -> None:
        """A step has its answer, or has none."""
        if key is not None:
            self.heard[key.digest].outcome = outcome

    def cassette(self, registry: Registry, *, pinned: bool) -> Cassette | None:
        """What was recorded, over the registry that the run had. None when no run began."""
        if self._started is None:
            return None
        started = self._started
        return Cassette(
            mco=started.mco_version,
            workflow=started.workflow,
            script_hash=started.script_hash,
            args=started.args,
            run=started.run_id,
            status=self._status,
            recorded_at=started.at,
            default=registry.default(),
            pinned=pinned,
            providers=_known(registry),
            steps=[_recorded(heard) for heard in self.heard.values()],
        )


class _Overheard:
    def __init__(self, recorder: Recorder, answerer: Answerer) -> None:
        self._recorder = recorder
        self._answerer = answerer

    async def ask(self, asking: Asking) -> Answer:
        try:
            answer = await self._answerer.ask(asking)
        except StepFailed as failure:
            self._recorder.ends(asking.key, failure)
            raise
        self._recorder.ends(asking.key, answer)
        return answer

    def note(self, step: Step) -> str:
        return self._answerer.note(step)


class _Noted:
    def __init__(self, recorder: Recorder, store: AnswerStore) -> None:
        self._recorder = recorder
        self._store = store

    def find(self, step: Step, key: Key) -> KeptAnswer | Miss:
        self._recorder.begins(step, key)
        found = self._store.find(step, key)
        if not isinstance(found, str):
            self._recorder.ends(key, found.answer())
        return found

    async def keep(self, step: Step, key: Key, answer: Answer, *, alone: bool = False) -> None:
        await self._store.keep(step, key, answer, alone=alone)

    def age(self, kept: KeptAnswer) -> float:
        return self._store.age(kept)


def _known(registry: Registry) -> dict[str, RecordedProvider]:
    known: dict[str, RecordedProvider] = {}
    for name, provider in registry.built().items():
        readiness = readiness_of(provider)
        known[name] = RecordedProvider(
            capabilities=sorted(provider.capabilities),
            note=provider.note,
            ready=readiness.ready,
            why=clean_block(readiness.why, 1_000),
        )
    return known


def _recorded(heard: Heard) -> RecordedStep:
    answer = failed = None
    match heard.outcome:
        case Answer() as given:
            answer = RecordedAnswer(
                value=given.value,
                provider=given.provider,
                model=given.model,
                usage=Tokens.of(given.usage),
                seconds=given.seconds,
            )
        case StepFailed() as failure:
            message = clean_block(str(failure), 4_000)
            failed = RecordedFailure(reason=failure.reason, message=message, provider=failure.provider)
        case None:
            pass
    return RecordedStep(
        label=heard.step.label,
        asked=dict(heard.asked.parts),
        occurrence=heard.asked.occurrence,
        workspace=heard.workspace,
        answer=answer,
        failed=failed,
    )
