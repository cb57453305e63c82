"""What one coding-agent CLI is like: all that an adapter has to say. Running it is `agent.CodingAgent`'s work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from engine.process import Exit
from engine.providers.base import Progress, Question
from engine.step import Access, Answer


class Invocation(NamedTuple):
    """How the program is started for one question: arguments behind its name, standard input, further variables."""

    arguments: tuple[str, ...]
    input: bytes
    environment: Mapping[str, str]


class SignIn(NamedTuple):
    """Whether the program can reach its model: None when that cannot be told without asking; `how` to sign in."""

    known: bool | None
    how: str


class Hearing(Protocol):
    """Listens to one run of the program."""

    def line(self, event: Mapping[str, Any]) -> Iterable[Progress]:
        """One JSON line of its output; what it says of its work. Unknown lines say nothing."""
        ...

    def answer(self, ended: Exit) -> Answer:
        """What came of it, once the program has ended by itself. StepFailed with the program's own reason.

        Success needs the exit code, the terminal event, no error in it and a text that is not empty, together.
        """
        ...


class Dialect(Protocol):
    """One program's own ways."""

    name: str
    """The provider's name, and the program's."""
    known: tuple[str, ...]
    """Versions that it was tried with, oldest first."""
    capabilities: frozenset[str]
    access: frozenset[Access]
    """What it can be held to."""
    own_schema: bool
    """Whether it takes any JSON Schema by an option of its own; otherwise the prompt asks for one.

    One that takes only some says False, and for those may ask by its option with `question.prompt`, which is bare.
    """
    variables: tuple[str, ...]
    """The variables of the user's environment that it needs: keys, addresses, folders. No others pass."""

    def invocation(self, question: Question, prompt: str, scratch: Path) -> Invocation:
        """How to ask. `scratch` is an empty folder for files that the program reads; it is gone afterwards."""
        ...

    def hearing(self, question: Question) -> Hearing:
        """A listener for one run."""
        ...

    def version(self, program: Path) -> str | None:
        """The installed version, read without running anything slow; None when it cannot be told."""
        ...

    def sign_in(self, environment: Mapping[str, str]) -> SignIn:
        """What its variables and files say of a login. Reads, runs nothing."""
        ...
