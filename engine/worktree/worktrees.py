"""The worktrees of one run: each attempt at a step with `isolation="worktree"` gets one of its own.

Imported by every run; what is behind it only by those that have such a step.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio
import anyio.to_thread

from engine.errors import MCOError, StepFailed, StorageFailed
from engine.record.folder import RunFolder, slug
from engine.record.lock import RunLock
from engine.step import Patch, Step

if TYPE_CHECKING:
    from engine.worktree.working_copy import WorkingCopy


class Whose(NamedTuple):
    """Whose worktree it is: the step's number, the provider as it was named, and which try (from 1)."""

    step: Step
    number: int
    provider: str
    attempt: int


class Worktrees:
    """Makes worktrees for the steps of one run below `place`, which is outside the repository."""

    def __init__(self, workspace: Path, place: Path, folder: RunFolder) -> None:
        self._workspace = workspace
        self._place = place
        self._folder = folder
        self._swept = False
        self._making = anyio.Lock()

    async def open(self, whose: Whose) -> OpenWorktree:
        """A worktree with the files as they are now. StepFailed (`unsupported`) where there can be none.

        StorageFailed when the disk does not take it.
        """
        async with self._making:  # git writes its list of worktrees one at a time
            return await anyio.to_thread.run_sync(self._open, whose)

    def _open(self, whose: Whose) -> OpenWorktree:
        from engine.worktree.leftovers import Purpose, forget, lock_of, sweep, write_purpose
        from engine.worktree.working_copy import WorkingCopy

        place = self._place
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageFailed("a worktree cannot be made", where=str(place), why=str(error)) from error
        if not self._swept:
            self._swept = True
            sweep(place)
        path = self._free(place, whose)
        lock = RunLock(lock_of(path))
        lock.acquire()

        def note(copy: WorkingCopy) -> None:
            purpose = Purpose(
                run=self._folder.run_id,
                run_folder=str(self._folder.path),
                step=whose.number,
                label=whose.step.label,
                provider=whose.provider,
                attempt=whose.attempt,
                repository=str(copy.repository),
                head=copy.head,
                tree=copy.tree,
                prefix=copy.prefix,
            )
            write_purpose(path, purpose)

        try:
            copy = WorkingCopy.make(self._workspace, path, whose.step.reads, note)
        except MCOError:
            lock.release()
            if not path.exists():
                forget(path)
            raise
        return OpenWorktree(copy, whose, self._folder, lock)

    def _free(self, place: Path, whose: Whose) -> Path:
        name = f"{self._folder.run_id}-{whose.number}-{slug(whose.provider)}-{whose.attempt}"
        path, number = place / name, 1
        while path.with_name(f"{path.name}.lock").exists():  # the same provider may be named twice
            number += 1
            path = place / f"{name}-{number}"
        return path


class OpenWorktree:
    """A worktree that an agent works in. Ends by `keep`, or by `set_aside` when there is no answer, or by `drop`."""

    def __init__(self, copy: WorkingCopy, whose: Whose, folder: RunFolder, lock: RunLock) -> None:
        self._copy = copy
        self._whose = whose
        self._folder = folder
        self._lock = lock

    @property
    def folder(self) -> Path:
        """Where the agent works: the workspace in it."""
        return self._copy.folder

    async def keep(self) -> tuple[Patch, ...]:
        """What was changed, written to the run's folder; the worktree is removed.

        StorageFailed when it cannot be kept, StepFailed when no patch can hold it: the worktree stays then.
        """
        return await anyio.to_thread.run_sync(
            self._end, "answered"
        )  # a thread is waited for, whoever cancels

    async def set_aside(self, ended: str) -> None:
        """The same for an attempt without an answer, whose failure is told by others: what cannot be kept stays."""
        with anyio.CancelScope(shield=True):
            try:
                await anyio.to_thread.run_sync(self._end, ended)
            except (StorageFailed, StepFailed):
                return  # `mco patches` shows it

    async def drop(self) -> None:
        """Remove it with all that was done in it."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._remove)

    def _end(self, ended: str) -> tuple[Patch, ...]:
        from engine.record.patches import PatchFolder, facts_of

        try:
            patch = self._copy.collect(self._whose.provider)
            if patch is not None:
                facts = facts_of(
                    patch,
                    step=self._whose.number,
                    label=self._whose.step.label,
                    attempt=self._whose.attempt,
                    ended=ended,
                )
                PatchFolder(self._folder).keep(patch, facts)
        except (StorageFailed, StepFailed):
            self._lock.release()
            raise
        self._remove()
        return () if patch is None else (patch,)

    def _remove(self) -> None:
        from engine.worktree.leftovers import forget

        try:
            self._copy.remove()
            forget(self._copy.path)
        except StorageFailed:
            return  # its work is kept, or was not wanted; a later run tries again
        finally:
            self._lock.release()
