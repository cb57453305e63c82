"""The pipes between us and a child: input that is there before it starts, and room for its output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import cast

OUTPUT_BYTES = 1024 * 1024
"""Room for output that nobody has read yet: programs on node throw away what has none when they exit."""


def filled_pipe(data: bytes) -> int | None:
    """The end to read of a pipe that holds all of `data` and no more, to be closed by who asked.

    None when it does not fit, or the system has no such pipes. A sixth of the work for a quick child is feeding it.
    """
    if sys.platform == "win32":
        return None
    theirs, ours = os.pipe()
    try:
        os.set_blocking(ours, False)
        if not data or os.write(ours, data) == len(data):
            return theirs
    except BlockingIOError:
        pass  # not even a page of it fits
    finally:
        os.close(ours)
    os.close(theirs)
    return None


def widen(transport: asyncio.SubprocessTransport) -> None:
    """Give a child's output more room than the 64 KiB of a pipe, where the system has a way to."""
    if sys.platform == "linux":
        import fcntl

        pipe = cast("asyncio.BaseTransport", transport.get_pipe_transport(1)).get_extra_info("pipe")
        # The user may have as many wide pipes as the system allows; the child may be gone, and its pipe closed.
        with contextlib.suppress(OSError, ValueError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, OUTPUT_BYTES)
