"""What the scheduler needs of others: answers, old ones and new; the files of a step; and a step written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from engine.record.events import Answers
from engine.record.steps import Miss
from engine.step import Answer, Key, Patch, Step
from engine.workspace.fingerprints import Seen

if TYPE_CHECKING:
    from engine.dispatch.attempts import Asking
    from engine.store.kept import KeptAnswer


class Answerer(Protocol):
    """Answers steps: the providers, or whoever stands in for them."""

    async def ask(self, asking: Asking) -> Answer:
        """The step's answer. StepFailed when nobody gave one; any other error of ours ends the run."""
        ...

    def note(self, step: Step) -> str:
        """What a reader must know of answers to this step; empty for most."""
        ...


class AnswerStore(Protocol):
    """Where answers of earlier runs are found."""

    def find(self, step: Step, key: Key) -> KeptAnswer | Miss:
        """The answer that this step needs not be asked for, or why it has to be. Called once a step, in order."""
        ...

    async def keep(self, step: Step, key: Key, answer: Answer, *, alone: bool = False) -> None:
        """Remember an answer, where that is allowed. When this returns it is as safe as it is worth.

        `alone` says that no other step has a place, so that none can be answered in the same moment.
        """
        ...

    def age(self, kept: KeptAnswer) -> float:
        """Seconds since an answer was made."""
        ...


class Sources(NamedTuple):
    """Where a run's answers come from: whom it asks, and where it looks first."""

    answerer: Answerer
    store: AnswerStore


class StandIn(Protocol):
    """Takes the place of a run's sources, or listens to them: a dry run, a cassette, a recording."""

    answers: Answers
    """Where the answers come from then."""

    def take_over(self, sources: Sources) -> Sources:
        """The sources that the run has instead."""
        ...


class Fingerprints(Protocol):
    """Says what a step's files are; slow only before the manifest is made."""

    def known(self, step: Step) -> bool:
        """Whether `seen` can answer at once."""
        ...

    def seen(self, step: Step) -> Sequence[Seen]:
        """What a step reads, as earlier runs saw it and, last, as it is now."""
        ...

    async def prepare(self) -> None:
        """Make `seen` ready for every step."""
        ...

    def forget(self, writer: str) -> None:
        """The step with this key may have changed files: what was known of them is worth nothing now."""
        ...

    def follow(self, writer: str) -> None:
        """The work of the step with this key is there already: files are what they were behind it."""
        ...


class StepStore(Protocol):
    """Keeps the prompts and answers of a run."""

    def stem(self, number: int, step: Step) -> str:
        """The beginning of the paths under which adapters keep what their programs printed."""
        ...

    def keep(
        self, number: int, step: Step, answer: Answer | None, *, key: Key, manifest: str | None, miss: Miss
    ) -> None:
        """Write down a step that ran, with its answer if it has one, and why it was not reused."""
        ...

    def offer_again(self, number: int, step: Step, patches: Sequence[Patch], from_run: str) -> None:
        """Put the patches of a reused answer among those of this run."""
        ...
