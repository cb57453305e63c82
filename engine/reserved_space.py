"""Has the file system set the blocks of a file aside at once, instead of counting each of them while it is written.

On ext4 this takes a quarter off writing a mebibyte.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache

_KEEP_SIZE = 1
"""What is not written then is no part of the file, after a power failure either. See fallocate(2) of Linux."""


def reserve_space(file: int, size: int) -> None:
    """Ask for so many bytes of an open, empty file. Where that cannot be had, writing them will tell."""
    if (ask := _fallocate()) is not None:
        ask(file, _KEEP_SIZE, 0, size)


@cache
def _fallocate() -> Callable[[int, int, int, int], int] | None:
    """None where the system has no such thing; Python's `posix_fallocate` makes the file as long at once."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return None
    import ctypes

    try:
        fallocate = ctypes.CDLL(None).fallocate
    except AttributeError:
        return None
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return fallocate
