"""How the command of a run ends: what is shown, what is said, and the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from engine.surroundings import RunOutcome


class Finished(NamedTuple):
    """A run as its command ends it: what is shown of it, with which exit code, and what is said beside.

    `facts` stand in the document of `--json` behind the others.
    """

    outcome: RunOutcome
    exit_code: int
    facts: Mapping[str, Any] = MappingProxyType({})
    said: tuple[str, ...] = ()
    report: str | None = None
    """What is shown instead of its result."""
    trace: bool = True
    """Whether there is a folder to look at, and a run to take up again."""
