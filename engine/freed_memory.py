"""Has the C library keep freed memory for the next large text, instead of handing it back to the system each time.

A mebibyte that is mapped anew costs a page fault for each 4 KiB of it, together more than writing it to a file.
"""

from __future__ import annotations

import sys
from functools import cache

LARGEST = 4 * 1024 * 1024
"""Bytes: what is larger is mapped by itself and handed back, so that no peak stays."""
MOST = 16 * 1024 * 1024
"""Bytes that are kept."""
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(LARGEST), "MALLOC_TRIM_THRESHOLD_": str(MOST)}
"""The same for a child process. See mallopt(3) of glibc; others pay it no heed."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


@cache
def keep_freed_memory() -> None:
    """From now on, in this process; nothing happens where the C library is not glibc."""
    if sys.platform == "linux":
        import ctypes

        try:
            set_option = ctypes.CDLL(None).mallopt
        except AttributeError:
            return
        set_option(_MMAP_THRESHOLD, LARGEST)
        set_option(_TRIM_THRESHOLD, MOST)
