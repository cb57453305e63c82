"""Worktrees whose process is gone: what each was for, and what becomes of it. Work is never deleted unsaved.

Beside a worktree `NAME` stand `NAME.json`, which says what it is for, and `NAME.lock`, which its process holds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import MCOError, StepFailed, StorageFailed, UsageError
from engine.record.folder import RunFolder, write_json
from engine.record.lock import RunLock, is_held
from engine.record.patches import PatchFolder, facts_of
from engine.step import Patch
from engine.worktree.working_copy import WorkingCopy


class Purpose(BaseModel):
    """What a worktree is for, and what it takes to read it out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    run_folder: str
    step: int
    label: str
    provider: str
    attempt: int
    repository: str
    head: str
    tree: str
    prefix: str


class Leftover(NamedTuple):
    """A worktree whose process is gone."""

    path: Path
    purpose: Purpose

    @property
    def copy(self) -> WorkingCopy:
        """The worktree itself."""
        known = self.purpose
        return WorkingCopy(self.path, Path(known.repository), known.head, known.tree, known.prefix)


def lock_of(path: Path) -> Path:
    """The file that the process of a worktree holds."""
    return path.with_name(f"{path.name}.lock")


def write_purpose(path: Path, purpose: Purpose) -> None:
    """Say what a worktree is for; comes before the worktree. StorageFailed when it cannot be written."""
    write_json(_note(path), purpose.model_dump(mode="json"))


def forget(path: Path) -> None:
    """Take away what stands beside a worktree that is removed."""
    for file in (_note(path), lock_of(path)):
        with suppress(OSError):
            file.unlink()


def leftovers(place: Path) -> list[Leftover]:
    """The worktrees there whose process is gone, by name."""
    found: list[Leftover] = []
    for note in sorted(place.glob("*.json")):
        path = note.with_suffix("")
        with suppress(OSError, ValidationError, StorageFailed):
            purpose = Purpose.model_validate_json(note.read_bytes())
            if not is_held(lock_of(path)):
                found.append(Leftover(path, purpose))
    return found


def sweep(place: Path) -> None:
    """Remove the leftovers that hold no work. What is held, or cannot be read, stays."""
    for leftover in leftovers(place):
        _settle(leftover, lambda _patch: False)


def rescue(leftover: Leftover) -> bool:
    """Keep the work of a leftover as a patch of its run, and remove it; whether it is gone now."""
    folder = RunFolder(Path(leftover.purpose.run_folder))

    def keep(patch: Patch) -> bool:
        if not folder.path.is_dir():
            return False
        patches = PatchFolder(folder)
        # mco may have died between keeping a patch and removing its worktree.
        known = any(_holds(kept.path, patch.data) for kept in patches.all())
        if not known:
            purpose = leftover.purpose
            facts = facts_of(
                patch, step=purpose.step, label=purpose.label, attempt=purpose.attempt, ended="killed"
            )
            patches.keep(patch, facts)
        return True

    return _settle(leftover, keep)


def _settle(leftover: Leftover, keep: Callable[[Patch], bool]) -> bool:
    with _claimed(leftover) as ours:
        if not ours:
            return False
        copy = leftover.copy
        try:
            # Without an index no agent ever worked there: it was still being made.
            patch = (
                copy.collect(leftover.purpose.provider)
                if copy.path.exists() and copy.start_index.exists()
                else None
            )
            if patch is not None and not keep(patch):
                return False
            copy.remove()
        except (StorageFailed, StepFailed):
            return False
        forget(leftover.path)
        return True


@contextmanager
def _claimed(leftover: Leftover) -> Generator[bool]:
    """Whether it is ours now: its process may have come back to life as another's, and others sweep too."""
    with ExitStack() as held:
        try:
            held.enter_context(RunLock(lock_of(leftover.path)))
        except (UsageError, StorageFailed):
            yield False
            return
        yield _note(leftover.path).exists()


def why_left(leftover: Leftover) -> str:
    """Why a leftover cannot be turned into a patch, in a sentence; empty when it can."""
    if not Path(leftover.purpose.run_folder).is_dir():
        return "the folder of its run is gone"
    try:
        leftover.copy.collect(leftover.purpose.provider)
    except MCOError as error:
        return str(error)
    return ""


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")
