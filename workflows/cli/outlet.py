"""The two streams that we write to, when somebody closed one, or its disk is full."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click

from engine.errors import StorageFailed


def open_missing() -> None:
    """Put something harmless where a standard stream was closed (`>&-`): the next file would get its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def tell(text: str) -> None:
    """Talk, on stderr. It is never worth a run: where nobody can hear it any more, it is dropped."""
    try:
        click.echo(text, err=True)
    except OSError:
        _mute(sys.stderr)


def give(data: str | bytes) -> None:
    """Data, on stdout. BrokenPipeError when its reader left, StorageFailed when it cannot be written."""
    try:
        click.echo(data)
    except BrokenPipeError:
        raise
    except OSError as error:
        mute()
        raise StorageFailed(
            "the output cannot be written", where="standard output", why=error.strerror or str(error)
        ) from None


def mute() -> None:
    """Nothing more can be said on stdout."""
    _mute(sys.stdout)


def _mute(stream: TextIO) -> None:
    # What waits in it would be tried again when we end, and fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
