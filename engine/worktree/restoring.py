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
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import MCOError, StorageFailed, UsageError
from engine.record.folder import write_json
from engine.record.lock import RunLock, is_held

_FACTS = "facts.json"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    path: str
    """Below the folder that is changed; percent-encoded, since the name of a file need not be UTF-8."""
    copy_name: str | None
    """Its name here; None for a file that was not there."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    what: str
    top: str
    files: list[_File]


class _Before(NamedTuple):
    """A file as it was."""

    name: str
    path: Path
    copy: Path | None
    """None when it was not there."""

    @classmethod
    def of(cls, file: _File, top: Path, place: Path) -> _Before:
        name = os.fsdecode(unquote_to_bytes(file.path))
        return cls(name, top / name, None if file.copy_name is None else place / file.copy_name)


class _Busy(MCOError):
    """Another process has the folder."""


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
                self._put_back(files)  # when that is cut off too, the copies stay
                raise
            _forget(self._place)

    def left_behind(self) -> LeftBehind | None:
        """What a killed process has left half done; None when there is nothing, or when one is at it just now."""
        if not self._place.exists() or is_held(self._lock):
            return None
        try:
            with self._locked():
                return self._left()
        except _Busy:
            return None

    def undo(self, left: LeftBehind) -> Path:
        """Put the files back. What stood in their places now lies in the folder that is returned.

        UsageError when `left` is no longer what is left behind.
        """
        with self._locked():
            self._check_still(left)
            changed = left.changed()
            try:
                instead = self._new_folder("instead")
                for file in changed:
                    _put_aside(file.path, instead / file.name)
            except OSError as error:
                raise _cannot(self.folder, error) from error
            self._put_back(changed)
            with suppress(OSError):
                instead.rmdir()  # it is empty
        return instead

    def leave(self, left: LeftBehind) -> None:
        """Let the files be as they are, and forget how they were. UsageError as above."""
        with self._locked():
            self._check_still(left)
            _forget(left.folder)

    def _check_still(self, left: LeftBehind) -> None:
        """Without its copies, putting a file back would delete it."""
        if self._left() != left:
            raise UsageError("there is nothing to decide any more", why="another mco has decided meanwhile")

    def _put_back(self, files: Sequence[_Before]) -> None:
        """Put files back and forget them. StorageFailed when one cannot be: then all copies stay."""
        try:
            _put_all_back(files)
        except OSError as error:
            raise StorageFailed(
                "the files could not all be put back as they were",
                where=str(error.filename or self._place),
                why=error.strerror or str(error),
                hint=f"they are kept in {self._place}: mend that, then `mco patches --undo` tries again",
            ) from error
        _forget(self._place)

    @property
    def _place(self) -> Path:
        return self.folder / "files"

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
            raise _Busy(busy, where=str(self.folder), hint="wait until it is done") from None
        try:
            yield
        finally:
            lock.release()

    def _left(self) -> LeftBehind | None:
        """Nothing is left when everything is as it was."""
        place = self._place
        try:
            facts = _Facts.model_validate_json((place / _FACTS).read_bytes())
        except (OSError, ValidationError):
            _forget(place)  # it was killed before it had changed anything, or after all was done
            return None
        files = tuple(_Before.of(file, Path(facts.top), place) for file in facts.files)
        left = LeftBehind(facts.what, place, files)
        if left.changed():
            return left
        _forget(place)
        return None

    def _keep(self, what: str, top: Path, paths: Iterable[str]) -> Sequence[_Before]:
        place = self._place
        files: list[_File] = []
        try:
            place.mkdir(mode=0o700)
            for number, path in enumerate(paths):
                there = _is_file(top / path)
                name = quote_from_bytes(os.fsencode(path))
                files.append(_File(path=name, copy_name=str(number) if there else None))
                if there:
                    _copy_for_good(top / path, place / str(number))
        except OSError as error:
            _forget(place)
            raise _cannot(place, error) from error
        write_json(place / _FACTS, _Facts(what=what, top=str(top), files=files).model_dump())
        return [_Before.of(file, top, place) for file in files]

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
    files: tuple[_Before, ...]

    def changed(self) -> list[_Before]:
        """Those that are not as they were."""
        return [file for file in self.files if not _is_as_before(file)]


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


def _is_as_before(file: _Before) -> bool:
    path, copy = file.path, file.copy
    if copy is None or not _is_file(path):
        return copy is None and not _is_file(path)
    if path.is_symlink() or copy.is_symlink():
        return path.is_symlink() and copy.is_symlink() and path.readlink() == copy.readlink()
    try:
        modes = {stat.S_IMODE(each.stat().st_mode) for each in (path, copy)}
        return len(modes) == 1 and filecmp.cmp(path, copy, shallow=False)
    except OSError:  # it cannot even be read
        return False


def _copy_for_good(path: Path, copy: Path) -> None:
    """A copy that a power failure does not take away either."""
    shutil.copy2(path, copy, follow_symlinks=False)
    if not copy.is_symlink():
        with copy.open("rb") as file, suppress(OSError):  # some systems sync no file that is only read
            os.fsync(file.fileno())


def _put_aside(path: Path, place: Path) -> None:
    if _is_file(path):
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place, follow_symlinks=False)


def _put_all_back(files: Iterable[_Before]) -> None:
    """Put back those that are not as they were. OSError when one cannot be."""
    changed = [file for file in files if not _is_as_before(file)]
    for file in changed:
        if file.copy is None:
            file.path.unlink()
            _remove_empty_folders(file)  # one of them may stand where a file was
    there_before = [(file.path, file.copy) for file in changed if file.copy is not None]
    for path, _ in there_before:  # all of them first: what was written there may be what filled the disk
        if _is_file(path):
            path.unlink()
    for path, copy in there_before:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            path.rmdir()  # it must be empty: nothing is copied into it
        shutil.copy2(copy, path, follow_symlinks=False)


def _remove_empty_folders(file: _Before) -> None:
    """Those around a file that is no more, as git does."""
    deep = len(PurePosixPath(file.name).parts) - 1
    with suppress(OSError):
        for folder in [*file.path.parents][:deep]:
            folder.rmdir()


def _forget(place: Path) -> None:
    """Delete what is kept; its facts first, since without the copies they would say that all files are new."""
    with suppress(OSError):
        (place / _FACTS).unlink()
    shutil.rmtree(place, ignore_errors=True)


def _cannot(place: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        "the files cannot be kept while they are changed",
        where=str(place),
        why=error.strerror or str(error),
        hint="free some space in your cache folder; nothing was changed",
    )
