"""Puts files back as they were when changing them came to nothing: the disk was full, or somebody pressed Ctrl-C.

The files as they were lie in one folder of the user's meanwhile. When mco itself is killed they stay there, and the
next mco that looks (`left_behind`) offers them.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import stat
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import MCOError, StorageFailed, UsageError
from engine.record.folder import write_json
from engine.record.lock import RunLock, is_held

_FACTS = "facts.json"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    path: str
    """Below the folder that is changed."""
    copy_name: str | None
    """Its name here; None for a file that was not there."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    what: str
    top: str
    files: list[_File]


class Safe(NamedTuple):
    """The folder in which files are kept while they are changed; one mco at a time uses it."""

    folder: Path

    @contextmanager
    def restored_on_failure(self, what: str, top: Path, paths: Iterable[str]) -> Generator[None]:
        """Inside, these files below `top` may change; when it raises they are as before. `what` is told of later.

        StorageFailed when they cannot be kept, MCOError while another process changes files, or when one was killed
        at it and nobody has decided since.
        """
        with self._locked():
            left = self._left()
            if left is not None:
                raise MCOError(
                    f"{left.what} was cut off in the middle",
                    where=str(left.folder),
                    why="the files as they were before are kept there",
                    hint="`mco patches --undo` puts them back, `mco patches --leave` lets them be",
                )
            files = self._keep(what, top, paths)
            try:
                yield
            except BaseException:
                for path, copy in files:
                    _put_back(path, copy)
                raise
            finally:
                shutil.rmtree(self.folder / "files", ignore_errors=True)

    def left_behind(self) -> LeftBehind | None:
        """What a killed process has left half done; None when there is nothing, or when one is at it just now."""
        if not (self.folder / "files").exists() or is_held(self._lock):
            return None
        with self._locked():
            return self._left()

    def undo(self, left: LeftBehind) -> Path:
        """Put the files back. What stood in their places now lies in the folder that is returned."""
        with self._locked():
            instead = self._new_folder("instead")
            for path, copy in left.changed():
                _put_aside(path, instead / copy.name)
                _put_back(path, copy)
            shutil.rmtree(self.folder / "files", ignore_errors=True)
            with suppress(OSError):
                instead.rmdir()  # it is empty
        return instead

    def leave(self, left: LeftBehind) -> None:
        """Let the files be as they are, and forget how they were."""
        with self._locked():
            shutil.rmtree(left.folder, ignore_errors=True)

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"

    @contextmanager
    def _locked(self) -> Generator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _cannot(self.folder, error) from error
        lock = RunLock(self._lock)
        try:
            lock.acquire()
        except UsageError:
            busy = "another mco is applying a patch here"
            raise MCOError(busy, where=str(self.folder), hint="wait until it is done") from None
        try:
            yield
        finally:
            lock.release()

    def _left(self) -> LeftBehind | None:
        """Nothing is left when everything is as it was."""
        place = self.folder / "files"
        try:
            facts = _Facts.model_validate_json((place / _FACTS).read_bytes())
        except (OSError, ValidationError):
            shutil.rmtree(place, ignore_errors=True)  # it was killed before it had changed anything
            return None
        top = Path(facts.top)
        files = [(top / file.path, place / (file.copy_name or "-")) for file in facts.files]
        left = LeftBehind(facts.what, place, tuple(files))
        if left.changed():
            return left
        shutil.rmtree(place, ignore_errors=True)
        return None

    def _keep(self, what: str, top: Path, paths: Iterable[str]) -> Sequence[tuple[Path, Path]]:
        place = self.folder / "files"
        shutil.rmtree(place, ignore_errors=True)
        files: list[_File] = []
        try:
            place.mkdir(mode=0o700)
            for number, path in enumerate(paths):
                there = _is_file(top / path)
                files.append(_File(path=path, copy_name=str(number) if there else None))
                if there:
                    shutil.copy2(top / path, place / str(number), follow_symlinks=False)
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise _cannot(place, error) from error
        write_json(place / _FACTS, _Facts(what=what, top=str(top), files=files).model_dump())
        return [(top / file.path, place / (file.copy_name or "-")) for file in files]

    def _new_folder(self, name: str) -> Path:
        number = 1
        while (folder := self.folder / f"{name}-{number}").exists():
            number += 1
        folder.mkdir(mode=0o700)
        return folder


class LeftBehind(NamedTuple):
    """Files of which some were changed when mco was killed, each with its copy from before, if it was there."""

    what: str
    folder: Path
    files: tuple[tuple[Path, Path], ...]

    def changed(self) -> list[tuple[Path, Path]]:
        """Those that are not as they were."""
        return [(path, copy) for path, copy in self.files if not _are_equal(path, copy)]


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


def _are_equal(path: Path, copy: Path) -> bool:
    if not _is_file(path) or not _is_file(copy):
        return _is_file(path) == _is_file(copy)
    if path.is_symlink() or copy.is_symlink():
        return path.is_symlink() and copy.is_symlink() and path.readlink() == copy.readlink()
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (path, copy)}
    return len(modes) == 1 and filecmp.cmp(path, copy, shallow=False)


def _put_aside(path: Path, place: Path) -> None:
    if _is_file(path):
        shutil.copy2(path, place, follow_symlinks=False)


def _put_back(path: Path, copy: Path) -> None:
    if _is_file(path):
        with suppress(OSError):
            path.unlink()  # first: what was written in its place may be what filled the disk
    if _is_file(copy):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(copy, path, follow_symlinks=False)


def _cannot(place: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        "the files cannot be kept while they are changed",
        where=str(place),
        why=error.strerror or str(error),
        hint="free some space in your cache folder; nothing was changed",
    )
