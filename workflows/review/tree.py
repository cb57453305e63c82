"""The place of an artifact tree on disk: inside its base, links not followed, nobody else's files replaced."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import StorageFailed, UsageError
from engine.json_value import is_object
from engine.record.folder import write_atomically

MADE_BY = "mco"
_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILES = frozenset({"summary.md", "decision.md", "findings.json", "run.json"})
_FOLDERS = {"providers": ".json", "raw": ".log"}
_LARGEST_FACTS = 16 * 1024 * 1024
_CHUNK = 1024 * 1024

Content = bytes | Sequence[Path]
"""What a file holds: these bytes, or those of other files behind each other."""


def check_task_id(task_id: str) -> str:
    """The id, if it can be a folder's name anywhere. UsageError otherwise."""
    if _TASK_ID.fullmatch(task_id) is None or task_id.endswith("."):
        raise UsageError(
            f"{task_id!r} is no task id",
            hint="letters, digits, dots, dashes and underscores, at most 64, such as pr-1234",
        )
    return task_id


def find_base(workspace: Path, folder: Path, written: str | None, default: Path) -> Path:
    """The folder that trees go into. UsageError when a link in the workspace would lead out of it."""
    base = Path(os.path.normpath(folder / Path(written).expanduser())) if written else default
    root = Path(os.path.normpath(workspace))
    if base.is_relative_to(root) and not base.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            "the folder for artifacts leaves the workspace through a link",
            where=str(base),
            hint="name the place it leads to with --artifact-base, if you mean it",
        )
    return base


class ReviewTree(NamedTuple):
    """One tree, at `path`; nothing needs to be there before `write`."""

    path: Path

    def is_ours(self) -> bool:
        """Whether an earlier tree of mco stands there; False when nothing does. UsageError when anything else does."""
        if not os.path.lexists(self.path) or _is_empty(self.path):
            return False
        strange = next(_strangers(self.path), None)
        if strange is not None:
            raise UsageError(
                "the folder for the artifacts holds something else already",
                where=str(self.path),
                why=strange,
                hint="choose another --task-id, or move it away",
            )
        return True

    def write(self, files: Mapping[str, Content]) -> None:
        """Put a whole tree there, in one move; an earlier one of ours is replaced. StorageFailed when it cannot."""
        self.is_ours()
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            draft.mkdir(parents=True)
            for name, content in files.items():
                _put(draft / name, content)
            self._move_in(draft)
        except OSError as error:
            raise StorageFailed(
                "the artifacts cannot be written",
                where=str(self.path),
                why=error.strerror or str(error),
                hint="make the folder writable, or name another with --artifact-base; the run itself is kept",
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _move_in(self, draft: Path) -> None:
        if not os.path.lexists(self.path):
            draft.rename(self.path)
            return
        aside = draft.with_name(f"{draft.name}.old")
        self.path.rename(aside)
        try:
            draft.rename(self.path)
        except OSError:
            aside.rename(self.path)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _put(path: Path, content: Content) -> None:
    path.parent.mkdir(exist_ok=True)
    if isinstance(content, bytes):
        write_atomically(path, content)
        return
    with path.open("wb") as target:
        for source in content:
            with source.open("rb") as file:
                shutil.copyfileobj(file, target, _CHUNK)


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _strangers(path: Path) -> Iterator[str]:
    """What keeps a folder from being a tree of ours, as far as one reason is enough."""
    if path.is_symlink() or not path.is_dir():
        yield "it is no folder"
        return
    for entry in sorted(path.iterdir()):
        kind = entry.lstat().st_mode
        if entry.name in _FOLDERS and stat.S_ISDIR(kind):
            ending = _FOLDERS[entry.name]
            inside = sorted(entry.iterdir())
            yield from (
                f"{entry.name}/{each.name} is not mco's"
                for each in inside
                if each.suffix != ending or not stat.S_ISREG(each.lstat().st_mode)
            )
        elif entry.name not in _FILES or not stat.S_ISREG(kind):
            yield f"{entry.name} is not mco's"
    if not _says_ours(path / "run.json"):
        yield "its run.json is missing, or says that somebody else made it"


def _says_ours(path: Path) -> bool:
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= _LARGEST_FACTS:
            facts: Any = json.loads(path.read_bytes())
            return is_object(facts) and facts.get("made_by") == MADE_BY
    return False
