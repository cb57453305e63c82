"""The patches of a run: `patches/<n>-<slug>.<provider>-<attempt>.patch`, facts beside each, and what became of them.

`patches.json` has what a person decided, so that a run that goes on and the command that decides never write one
file. Nothing here deletes a patch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import StorageFailed
from engine.json_value import is_object
from engine.record.folder import RunFolder, slug, write_atomically, write_json
from engine.record.plain_file import read_plain
from engine.step import Patch, PatchedFile

Decision = Literal["applied", "dropped"]
State = Literal["offered", "applied", "dropped", "unfinished"]
"""`unfinished` is the work of an attempt that came to no answer."""


class PatchFacts(BaseModel):
    """What is known of one patch. `ended` is `answered`, or the reason why the attempt has no answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    step: int
    label: str
    provider: str
    attempt: int = 1
    base: str = ""
    ended: str = "answered"
    from_run: str | None = None
    """The run that the answer was made in, where this one reused it."""
    files: list[PatchedFile] = []


class KeptPatch(NamedTuple):
    """One patch of a run, as its folder has it."""

    path: Path
    facts: PatchFacts
    state: State


class PatchFolder:
    """The patches in the folder of one run."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def keep(self, patch: Patch, facts: PatchFacts) -> Path:
        """Write a patch and its facts, durably, and never over another one. StorageFailed when the disk will not."""
        stem = f"{facts.step}-{slug(facts.label)}.{slug(facts.provider)}-{facts.attempt}"
        place = self._folder.patches
        try:
            place.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _cannot(place, error) from error
        name, number = stem, 1
        while (place / f"{name}.patch").exists():
            number += 1
            name = f"{stem}-{number}"
        write_atomically(place / f"{name}.patch", patch.data)
        write_json(place / f"{name}.json", facts.model_dump(mode="json"))
        return place / f"{name}.patch"

    def all(self) -> list[KeptPatch]:
        """Every patch in the order of the steps; what cannot be read of the folder is left out."""
        decisions = self._decisions()
        kept: list[KeptPatch] = []
        for path in self._folder.patches.glob("*.patch"):
            facts = _facts(path.with_suffix(".json"))
            if facts is not None and path.is_file():
                kept.append(KeptPatch(path, facts, _state(facts, decisions.get(path.name))))
        return sorted(kept, key=lambda one: (one.facts.step, one.facts.ended != "answered", one.path.stem))

    def decide(self, patch: KeptPatch, decision: Decision) -> None:
        """Remember what became of a patch. StorageFailed when that cannot be written down."""
        write_json(self._folder.patch_decisions, {**self._decisions(), patch.path.name: decision})

    def _decisions(self) -> dict[str, Any]:
        try:
            known: Any = json.loads(read_plain(self._folder.patch_decisions))
        except (OSError, ValueError, RecursionError):
            return {}
        return dict(known) if is_object(known) else {}


def facts_of(patch: Patch, *, step: int, label: str, attempt: int = 1, **more: Any) -> PatchFacts:
    """The facts of a patch that was just made, or that came with a reused answer."""
    return PatchFacts(
        step=step,
        label=label,
        provider=patch.provider,
        attempt=attempt,
        base=patch.base,
        files=list(patch.files),
        **more,
    )


def lines_of(files: Sequence[PatchedFile]) -> tuple[int, int]:
    """How many lines are added and how many removed, as far as they can be counted."""
    return sum(file.added or 0 for file in files), sum(file.removed or 0 for file in files)


def _facts(path: Path) -> PatchFacts | None:
    try:
        return PatchFacts.model_validate_json(read_plain(path))
    except (OSError, ValidationError):
        return None


def _state(facts: PatchFacts, decision: object) -> State:
    if decision == "applied":
        return "applied"
    if decision == "dropped":
        return "dropped"
    return "offered" if facts.ended == "answered" else "unfinished"


def _cannot(place: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        "a patch cannot be written down",
        where=str(place),
        why=error.strerror or str(error),
        hint="make the folder writable, or free some space on its disk",
    )
