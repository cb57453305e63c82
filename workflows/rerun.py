"""Scripts that are saved while a session of `mco run --watch` goes on: which they are, and when to run again."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskStatus

from workflows.script import MAXIMUM_BYTES

_GATHER_MS = 50
"""Editors write, rename and touch: what happens this close together is one save."""
_PATIENCE_MS = 500
"""And however much happens, it is looked at this often."""


class RunTexts:
    """The texts that the last run took, by file. A file that is not there, or holds the same, is no change."""

    def __init__(self) -> None:
        self._digests: dict[Path, str] = {}

    def took(self, path: Path, digest: str) -> None:
        """A run has read this file; `digest` is the SHA-256 of its bytes, hex."""
        self._digests[path] = digest

    def begin(self, path: Path, digest: str) -> None:
        """A run begins with this file. What it calls it has not read yet."""
        self._digests = {path: digest}

    def settle(self) -> None:
        """No run will take the texts as they are now: only what is saved later is a change."""
        current = {path: _digest(path) for path in self._digests}
        self._digests = {path: digest or self._digests[path] for path, digest in current.items()}

    def names(self, path: Path) -> bool:
        """Whether a change of this file, or of a link by its name, may be a save."""
        return any(known.name == path.name for known in self._digests)

    def changed(self) -> list[Path]:
        """The files that hold something else by now."""
        return [path for path, digest in self._digests.items() if _digest(path) not in (None, digest)]


class Saves:
    """Tells when files of some folders may have been saved, without polling."""

    def __init__(self, texts: RunTexts) -> None:
        self._texts = texts
        self._seen = anyio.Event()

    async def watch(
        self, folders: Iterable[Path], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Watch until cancelled. It has started when no later change can be missed."""
        ended = threading.Event()
        listening = asyncio.create_task(self._listen(folders, ended))
        await asyncio.sleep(0)  # the task puts its watcher in place before it waits
        task_status.started()
        try:
            await asyncio.shield(listening)
        finally:
            ended.set()  # its thread looks at this often; a cancellation it would hear of after seconds
            with anyio.CancelScope(shield=True):
                await listening

    async def change(self) -> list[Path]:
        """Wait until a run would take other texts than the last; which files hold them."""
        while True:
            await self._seen.wait()
            changed = self._texts.changed()
            if changed:
                return (
                    changed  # and again, until a run has taken them: who asks may be stopped before it acts
                )
            self._seen = anyio.Event()

    async def _listen(self, folders: Iterable[Path], ended: threading.Event) -> None:
        # Its types name trio, which is not installed.
        from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

        changes: AsyncGenerator[Any, None] = awatch(
            *folders,
            watch_filter=lambda _change, path: self._texts.names(Path(path)),
            debounce=_PATIENCE_MS,
            step=_GATHER_MS,
            stop_event=ended,
            recursive=False,
        )
        async for _ in changes:
            self._seen.set()


def folders_of(paths: Iterable[Path], more: Iterable[Path]) -> list[Path]:
    """The folders that the files, or what they are links to, lie in; and those of the others that there are."""
    near = {folder for path in paths for folder in (path.absolute().parent, path.resolve().parent)}
    return sorted(near | {folder for folder in more if folder.is_dir()})


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError:
        return None  # between two moves of an editor, or gone
    return hashlib.sha256(content).hexdigest() if content else None  # emptied, and about to be written
