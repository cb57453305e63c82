"""What Linux lets a process give up about itself: its parent's death, its memory's readers, rights, capabilities."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from errno import EPERM

from engine.sandbox.layer import Layer
from engine.sandbox.walls import kernel
from engine.sandbox.walls.proof import Attempt, confirmed, missing, proven

_SET_PARENT_DEATH_SIGNAL, _GET_PARENT_DEATH_SIGNAL = 1, 2
_GET_DUMPABLE, _SET_DUMPABLE = 3, 4
_SET_NO_NEW_PRIVILEGES, _GET_NO_NEW_PRIVILEGES = 38, 39
_CAPABILITIES_VERSION = 0x20080522
_READ_BACK = "read back from the kernel"


def give_up_rights(parent: int) -> list[Layer]:
    """Tie this process to its parent, and take from it what it could gain. Ends it when the parent is gone."""
    layers = [_parent_death_signal()]
    if os.getppid() != parent:
        os._exit(0)
    return [*layers, _not_dumpable(), _no_new_privileges()]


def _parent_death_signal() -> Layer:
    name, found = "parent-death-signal", ctypes.c_int()
    try:
        kernel.control(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        kernel.control(_GET_PARENT_DEATH_SIGNAL, ctypes.byref(found))
    except OSError as error:
        return missing(name, error, {})
    return confirmed(name, _READ_BACK, stands=found.value == signal.SIGKILL)


def _not_dumpable() -> Layer:
    name = "not-dumpable"
    try:
        kernel.control(_SET_DUMPABLE, 0)
        return confirmed(name, _READ_BACK, stands=kernel.control(_GET_DUMPABLE) == 0)
    except OSError as error:
        return missing(name, error, {})


def _no_new_privileges() -> Layer:
    name = "no-new-privileges"
    try:
        kernel.control(_SET_NO_NEW_PRIVILEGES, 1)
        return confirmed(name, _READ_BACK, stands=kernel.control(_GET_NO_NEW_PRIVILEGES) == 1)
    except OSError as error:
        return missing(name, error, {})


def drop_capabilities() -> Layer:
    """Give up all capabilities; tried by raising a limit above its hard one, so the limits stand before."""
    try:
        kernel.drop_capabilities(struct.pack("Ii", _CAPABILITIES_VERSION, 0), bytes(24))
    except OSError as error:
        return missing("no-capabilities", error, {})
    return proven("no-capabilities", [Attempt("raising a limit", lambda: limit_core_dumps(1), (EPERM,))])


def limit_core_dumps(size: int) -> None:
    """Set that limit, which is 0: a larger one is raising it. OSError when it is refused."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (size, size))
    except ValueError as error:  # how Python tells that it is not allowed
        raise PermissionError(EPERM, str(error)) from None
