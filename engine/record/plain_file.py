"""Reads the files of a run's folder, which may have come with a repository: no link, no pipe, and not without end."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

LARGEST = 256 * 1024 * 1024
"""More than mco writes into any file that is read whole."""
_OPEN = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@contextmanager
def plain_descriptor(path: Path) -> Generator[int]:
    """The descriptor of a regular file, for reading. OSError when it is anything else, a link included."""
    file = _opened(path)
    try:
        yield file
    finally:
        os.close(file)


def open_plain(path: Path) -> BinaryIO:
    """A regular file, open for reading. OSError when it is anything else, a link included."""
    return open(_opened(path), "rb")


def _opened(path: Path) -> int:
    try:
        file = os.open(path, _OPEN)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return file


def read_plain(path: Path, most: int = LARGEST) -> bytes:
    """All of a regular file. OSError when it is anything else, or longer than `most` bytes."""
    with open_plain(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, "it is larger than mco writes it", str(path))
    return content
