"""How the author of a provider brings it to behave in every way that the contract is about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from engine.errors import Reason, StepFailed
from engine.providers.base import Provider, Question, Report
from engine.step import Answer


class Place(NamedTuple):
    """Where a scene is set: a folder of its own, and what is to be cleared away when it is over."""

    folder: Path
    stack: ExitStack

    @property
    def workspace(self) -> Path:
        """The folder that the question is about; empty at first."""
        path = self.folder / "workspace"
        path.mkdir(exist_ok=True)
        return path

    def question(self, prompt: str = "Say something.", **options: Any) -> Question:
        """A plain question about the workspace."""
        return Question(prompt=prompt, workspace=self.workspace, **options)


class Scene(NamedTuple):
    """A provider and what it is asked."""

    provider: Provider
    question: Question
    at_work: Callable[[], Awaitable[None]] | None = None
    """Waits until whatever answers works on the question."""
    check: Callable[[Answer], None] = lambda answer: None
    """Looks further at the answer."""
    check_failure: Callable[[StepFailed], None] = lambda failure: None
    """Looks further at the failure."""
    report: Report = lambda progress: None
    """Hears what the provider says of its work."""


class ProviderRig(ABC):
    """Sets the scenes. What cannot happen to a provider stands in `without`, with the reason; it is not tried then."""

    failures: ClassVar[Mapping[str, Reason]] = {}
    """What can go wrong, by names of your own, and the reason that each must have."""
    without: ClassVar[Mapping[str, str]] = {}
    """Scenes, by the names below, that this provider cannot get into, and why."""

    @abstractmethod
    def answers(self, place: Place, text: str) -> Scene:
        """Whatever answers says exactly this."""

    def finishes(self, place: Place) -> Scene:
        """All goes well."""
        return self.answers(place, "all is well")

    def bad_json(self, place: Place) -> Scene:
        """It says what looks like JSON and is none. The contract asks with a schema."""
        return self.answers(place, "{broken")

    def nothing(self, place: Place) -> Scene:
        """It ends as if all were well, and has said nothing."""
        return self.answers(place, "")

    def fails(self, place: Place, failure: str) -> Scene:
        """One of `failures` happens."""
        raise NotImplementedError(
            f"the rig names the failure {failure!r}, and has no `fails` to bring it about"
        )

    def hangs(self, place: Place) -> Scene:
        """Whatever answers is silent for ever. The question has a short `stall_timeout`."""
        raise self._missing("hangs")

    def works(self, place: Place) -> Scene:
        """It is at work until it is cancelled; with programs of its own, if it starts such."""
        return self.hangs(place)

    def floods(self, place: Place, size: int) -> Scene:
        """Whatever answers says that many bytes, in lines, and then ends in any way."""
        raise self._missing("floods")

    def unready(self, place: Place) -> Scene:
        """What the provider needs is not there."""
        raise self._missing("unready")

    def _missing(self, scene: str) -> NotImplementedError:
        return NotImplementedError(f"the rig sets no scene {scene!r}; if there is none, `without` says why")
