"""What the user agreed to run: versions of scripts, or all scripts of a project. Kept outside every project."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import StorageFailed
from engine.json_value import is_object
from workflows.places import Places
from workflows.script import Script

if TYPE_CHECKING:
    from engine.source import ScriptSource

_MOST_BYTES = 1024 * 1024
"""Of a longer file the end counts: some thousands of agreements; who is forgotten is asked again."""
_LAST_MOMENT = 32_503_680_000.0  # the year 3000: later ones no calendar of ours can show


class Agreement(NamedTuple):
    """One yes, given at a moment in epoch seconds. Without a digest it is for every script of the workspace."""

    at: float
    workspace: str
    path: str = ""
    digest: str = ""


class Trust:
    """What may run in one workspace without a question. The file of agreements is read anew on every call.

    It has one JSON object a line and is only ever added to, so that several processes may do so at once; what cannot
    be read or believed there counts for nothing, and leads to a question.
    """

    def __init__(self, places: Places) -> None:
        self.file = places.trusted
        self._workspace = Path(os.path.realpath(places.workspace))
        self._yours = {places.user_workflows, places.catalog}

    def covers(self, script: Script, source: ScriptSource) -> bool:
        """Whether exactly these bytes may run: they came with mco, are the user's own, or were agreed to here."""
        if script.origin in ("built-in", "user") or script.path.parent in self._yours:
            return True
        digest = source.digest
        return any(
            agreement.digest == digest if agreement.digest else self.is_inside(source)
            for agreement in self._agreements(digest.encode(), b'"always"')
        )

    def earlier(self, source: ScriptSource) -> Agreement | None:
        """The newest agreement to what the script's file held before it changed."""
        path = str(source.path)
        versions = [agreement for agreement in self._agreements() if agreement.path == path]
        return max(versions, default=None)

    def is_inside(self, source: ScriptSource) -> bool:
        """Whether the script's file, links followed, is one of the workspace."""
        return source.path is not None and source.path.is_relative_to(self._workspace)

    def has_project(self) -> bool:
        """Whether the workspace can be trusted as a whole: not a home folder or one above, nor one that all share."""
        home = Path(os.path.realpath(Path.home()))
        shared = sys.platform != "win32" and self._workspace.stat().st_mode & stat.S_IWOTH
        return not shared and self._workspace not in (home, *home.parents)

    def agree(self, path: Path, digest: str, at: float) -> None:
        """Remember that these bytes may run here, as found in `path`. StorageFailed when that cannot be written."""
        self._add(Agreement(at, str(self._workspace), os.path.realpath(path), digest))

    def agree_to_project(self, at: float) -> None:
        """Remember that every script in the workspace may run here, also when it changes."""
        self._add(Agreement(at, str(self._workspace)))

    def damage(self) -> str:
        """What of the file of agreements cannot be read or believed; nothing when it is whole, or not there."""
        try:
            lines = _lines(self.file)
        except OSError as error:
            return error.strerror or str(error)
        lost = sum(_agreement(line) is None for line in lines)
        return f"{lost} of its {len(lines)} lines cannot be read" if lost else ""

    def _agreements(self, *marks: bytes) -> Iterator[Agreement]:
        """What was agreed to in the workspace and can be read: all of it, or the lines with one of the marks."""
        try:
            lines = _lines(self.file)
        except OSError:
            return  # `damage` says why
        for line in lines:
            agreement = _agreement(line) if not marks or any(mark in line for mark in marks) else None
            if agreement is not None and agreement.workspace == str(self._workspace):
                yield agreement

    def _add(self, agreement: Agreement) -> None:
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = _open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                _check(file)
                _write(file, _line(agreement))
            finally:
                os.close(file)
        except OSError as error:
            raise StorageFailed(
                "what you agreed to cannot be written down",
                where=str(self.file),
                why=error.strerror or str(error),
                hint="mend or remove that file; until then you are asked again",
            ) from None


def _lines(path: Path) -> list[bytes]:
    """The lines of a file of agreements; none when it is not there. OSError when it cannot be read or believed."""
    try:
        file = _open(path, os.O_RDONLY)
    except FileNotFoundError:
        return []
    try:
        _check(file)
        beginning = max(0, os.fstat(file).st_size - _MOST_BYTES)
        os.lseek(file, beginning, os.SEEK_SET)
        lines = os.read(file, _MOST_BYTES).split(b"\n")
    finally:
        os.close(file)
    return [line for line in lines[bool(beginning) :] if line]


def _open(path: Path, flags: int) -> int:
    # Not blocking: somebody may have put a pipe there, which would keep us waiting for its other end.
    system = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return os.open(path, flags | system, 0o600)


def _check(file: int) -> None:
    """OSError unless it is a regular file which the user alone can write: others must not agree for them."""
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "it is not a regular file")
    if sys.platform == "win32":
        return
    if found.st_uid != os.geteuid():
        raise OSError(0, "it belongs to another user")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(0, "other users can write to it")


def _write(file: int, line: bytes) -> None:
    """All of it in one write, so that the lines of two processes do not mix."""
    if os.write(file, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _line(agreement: Agreement) -> bytes:
    given: dict[str, Any] = {"at": agreement.at, "workspace": agreement.workspace}
    if agreement.digest:
        given |= {"path": agreement.path, "sha256": agreement.digest}
    else:
        given["always"] = True
    # A line begins with a line's end: what stands before it may have been cut off on a full disk.
    return b"\n" + json.dumps(given).encode() + b"\n"


def _agreement(line: bytes) -> Agreement | None:
    try:
        given: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not is_object(given):
        return None
    at, workspace = given.get("at"), given.get("workspace")
    if not isinstance(at, (int, float)) or not 0 <= at <= _LAST_MOMENT or not isinstance(workspace, str):
        return None
    if given.get("always") is True:
        return Agreement(at, workspace)
    path, digest = given.get("path"), given.get("sha256")
    if not isinstance(path, str) or not isinstance(digest, str) or not digest:
        return None
    return Agreement(at, workspace, path, digest)
