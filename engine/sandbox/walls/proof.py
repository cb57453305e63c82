"""Trying what a layer must stop: a layer stands when every try was refused in the way that is the layer's own."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from errno import EACCES, EAFNOSUPPORT, EPERM
from typing import NamedTuple

from engine.sandbox.layer import Layer

_NOBODY_LISTENS = ("127.0.0.1", 9)


class Attempt(NamedTuple):
    """Something forbidden. `refusals` are the error numbers that show that this layer, and nothing else, refused."""

    what: str
    act: Callable[[], object]
    refusals: tuple[int, ...]

    def is_refused(self) -> bool:
        """Whether it fails as it must."""
        try:
            self.act()
        except OSError as error:
            return error.errno in self.refusals
        return False


def proven(name: str, attempts: Sequence[Attempt], version: str = "") -> Layer:
    """The layer `name` as the attempts show it."""
    version = f"{version}; " if version else ""
    for attempt in attempts:
        if not attempt.is_refused():
            return Layer(name, stands=False, said=f"{version}it was raised, but does not stop {attempt.what}")
    tried = ", ".join(attempt.what for attempt in attempts)
    return Layer(name, stands=True, said=f"{version}refused when tried: {tried}")


def confirmed(name: str, said: str, *, stands: bool) -> Layer:
    """A layer that cannot be tried without harm, and was read back instead."""
    return Layer(name, stands, said if stands else f"it was asked for, but does not hold: {said}")


def missing(name: str, error: OSError, known: dict[int, str]) -> Layer:
    """A layer that could not be raised; `known` explains error numbers."""
    why = known.get(error.errno or 0, f"the system refuses it: {error.strerror}")
    return Layer(name, stands=False, said=why)


def reading() -> Attempt:
    """Listing the root folder."""
    return Attempt("reading", lambda: os.close(os.open("/", os.O_RDONLY)), (EACCES, EPERM))


def writing() -> Attempt:
    """Opening a device that takes anything, so that nothing is harmed when it succeeds."""
    return Attempt("writing", lambda: os.close(os.open("/dev/null", os.O_WRONLY)), (EACCES, EPERM))


def connecting() -> Attempt:
    """A TCP connection to this machine. A system without TCP has refused as well."""

    def act() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as ours:
            ours.connect(_NOBODY_LISTENS)

    return Attempt("TCP", act, (EACCES, EPERM, EAFNOSUPPORT))


def signalling(process: int) -> Attempt:
    """Asking whether a signal may be sent to a process; none is sent."""

    def act() -> None:
        with contextlib.suppress(ProcessLookupError):  # it is gone, and we may ask: not refused
            os.kill(process, 0)

    return Attempt("a signal to mco", act, (EPERM,))
