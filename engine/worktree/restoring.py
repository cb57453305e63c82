"""Puts files back as they were when changing them came to nothing: the disk was full, or somebody pressed Ctrl-C."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import StorageFailed


@contextmanager
def restored_on_failure(files: Iterable[Path]) -> Generator[None]:
    """Inside, the files may change; when it raises they are as before. StorageFailed when they cannot be kept."""
    with tempfile.TemporaryDirectory(prefix="mco-") as place:
        kept = {path: Path(place, str(number)) for number, path in enumerate(files)}
        for path, copy in kept.items():
            if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
                _copy(path, copy)
        try:
            yield
        except BaseException:
            for path, copy in kept.items():
                _put_back(path, copy)
            raise


def _copy(path: Path, copy: Path) -> None:
    try:
        shutil.copy2(path, copy, follow_symlinks=False)
    except OSError as error:
        raise StorageFailed(
            "a file cannot be kept while it is changed",
            where=str(path),
            why=error.strerror or str(error),
            hint="free some space for temporary files; nothing was changed",
        ) from error


def _put_back(path: Path, copy: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()  # first: what was written in its place may be what filled the disk
    if os.path.lexists(copy):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(copy, path, follow_symlinks=False)
