"""A dry run: the steps that a script would take, and for each whether it would be asked or found again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from engine.dispatch.needs import AnswerStore, Sources
from engine.record.events import Answers, Event, StepFailed, StepQueued
from engine.record.steps import Miss
from engine.stand_ins.stubs import StubbedRun, Stubs
from engine.step import Answer, Key, Step

if TYPE_CHECKING:
    from engine.providers.registry import Registry
    from engine.store.kept import KeptAnswer


class Searched(NamedTuple):
    """What came of looking for a step's answer: the one that would be reused, or why there is none."""

    step: Step
    kept: KeptAnswer | None = None
    age: float | None = None
    miss: Miss | None = None


@dataclass(slots=True)
class PlannedStep:
    """One step of a dry run; one that could not be sent to anybody was not `searched` for.

    `failure` is how it ended, where it did so badly.
    """

    number: int
    label: str
    phase: str
    searched: Searched | None = None
    failure: StepFailed | None = None

    @property
    def step(self) -> Step | None:
        """What was asked."""
        return self.searched and self.searched.step

    @property
    def kept(self) -> KeptAnswer | None:
        """The answer that would be reused."""
        return self.searched and self.searched.kept

    @property
    def age(self) -> float | None:
        """How old that is, in seconds."""
        return self.searched and self.searched.age

    @property
    def miss(self) -> Miss | None:
        """Why there is none."""
        return self.searched and self.searched.miss


class DryRun:
    """Stands in for the providers, and writes down what they would be asked. It is a view of the run as well."""

    answers: Answers = "stubs"

    def __init__(self, stubs: Stubs, registry: Registry) -> None:
        self.stubs = stubs
        self.steps: list[PlannedStep] = []
        self._searched: dict[str, Searched] = {}
        self._stubbed = StubbedRun(stubs, registry)

    def take_over(self, sources: Sources) -> Sources:
        """Stubs instead of the providers; kept answers are found, save where a stub says otherwise."""
        store = _Noting(self.stubs, self._searched, sources.store)
        return self._stubbed.take_over(sources)._replace(store=store)

    def apply(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, StepQueued):
            self.steps.append(
                PlannedStep(event.step, event.label, event.phase, self._searched.get(event.key))
            )
        elif isinstance(event, StepFailed):
            self.steps[event.step - 1].failure = event


class _Noting:
    """The answer store, with what each search came to written down by its key."""

    def __init__(self, stubs: Stubs, searched: dict[str, Searched], store: AnswerStore) -> None:
        self._stubs = stubs
        self._searched = searched
        self._store = store

    def find(self, step: Step, key: Key) -> KeptAnswer | Miss:
        found = self._store.find(step, key)
        if isinstance(found, str):
            self._searched[key.digest] = Searched(step, miss=found)
            return found
        self._searched[key.digest] = Searched(step, found, self._store.age(found))
        return found if self._stubs.pattern(step.label) is None else "new"

    async def keep(self, step: Step, key: Key, answer: Answer, *, alone: bool = False) -> None:
        """Nothing: it is a stub."""

    def age(self, kept: KeptAnswer) -> float:
        return self._store.age(kept)
