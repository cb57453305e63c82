"""What the scheduler needs of others: to know the files of a step, and to have a step written down."""

from __future__ import annotations

from typing import Protocol

from engine.step import Answer, Step


class Fingerprints(Protocol):
    """Says what a step's files are; slow only before the manifest is made."""

    def known(self, step: Step) -> bool:
        """Whether `of` can answer at once."""
        ...

    def of(self, step: Step) -> str | None:
        """The fingerprint of what a step reads, None when it reads nothing."""
        ...

    async def prepare(self) -> None:
        """Make `of` ready for every step."""
        ...

    def forget(self) -> None:
        """Files may have changed: what was known of them is worth nothing now."""
        ...


class StepStore(Protocol):
    """Keeps the prompts and answers of a run."""

    def stem(self, number: int, step: Step) -> str:
        """The beginning of the paths under which adapters keep what their programs printed."""
        ...

    def keep(self, number: int, step: Step, answer: Answer | None) -> None:
        """Write down a step that ran, with its answer if it has one."""
        ...
