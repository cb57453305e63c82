"""Long texts are kept as plain files: in a database or in JSON, each would be copied several times on its way.

Such a file holds nothing but the text, as UTF-8, and is replaced in one move.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

from engine.record.plain_file import LARGEST, plain_descriptor
from engine.reserved_space import reserve_space

LONG = 64 * 1024
"""Characters from which on a text is long."""
_PIECE = 1024 * 1024
"""Characters."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def is_long(value: Any) -> TypeGuard[str]:
    """Whether a value is such a text."""
    return isinstance(value, str) and len(value) >= LONG


def write_text(path: Path, text: str) -> int:
    """Put a text into a file; its size in bytes. OSError when the disk does not take it.

    One that is there already is replaced in one move. A new one may be torn when the process dies: whatever refers to
    it by then has to know its size.
    """
    try:
        return _write_new(path, text)
    except FileExistsError:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)  # of a process that is gone, or a link
        size = _write_new(draft, text)
        try:
            draft.replace(path)
        except OSError:  # a folder stands there
            draft.unlink()
            raise
        return size


def pieces(text: str) -> Iterator[bytes]:
    """A text in UTF-8, piece by piece: all at once it would be in memory a second time."""
    for start in range(0, len(text), _PIECE):
        yield (text if len(text) <= _PIECE else text[start : start + _PIECE]).encode()


def _write_new(path: Path, text: str) -> int:
    file = os.open(path, _NEW, 0o600)
    size = 0
    try:
        reserve_space(file, len(text))  # at least: how many bytes a character has is not known yet
        for piece in pieces(text):
            rest = memoryview(piece)
            size += len(rest)
            while rest:  # a disk that is nearly full takes a part
                rest = rest[os.write(file, rest) :]
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(file)
    return size


def read_text(path: Path, size: int | None = None) -> str:
    """The text in a file of `size` bytes. OSError or ValueError when there is none, or it is another one."""
    with plain_descriptor(path) as file:
        found = os.fstat(file).st_size
        if found > LARGEST or (size is not None and found != size):
            raise ValueError(f"it has {found:,} bytes")
        data = os.read(file, found)
        while len(data) < found and (more := os.read(file, found - len(data))):
            data += more
    if len(data) != found:
        raise ValueError("it was cut off meanwhile")
    return data.decode()
