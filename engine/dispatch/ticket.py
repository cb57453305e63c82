"""A step that was let in, and what can come of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.errors import CeilingReached, StepFailed
from engine.record.steps import Miss
from engine.step import Answer, Key, Step

Outcome = Answer | StepFailed | CeilingReached
Done = Callable[[Outcome], None]


class Ticket(NamedTuple):
    """A step that was let in: its number (from 1), key, scope, who waits for its outcome, and why it has to run."""

    number: int
    step: Step
    key: Key
    scope: int
    done: Done
    manifest: str | None = None
    """The digest of the manifest that its key was made with."""
    miss: Miss = "new"
