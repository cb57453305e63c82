"""Seatbelt: macOS denies this process everything it could newly reach. Written without a Mac at hand: untested.

`sandbox-exec` calls the same function before a program starts, which would have to leave the interpreter its files
readable; called from inside, when all is imported, nothing at all has to stay allowed.
"""

from __future__ import annotations

import ctypes
import os
from errno import EPERM

from engine.sandbox.layer import Layer
from engine.sandbox.walls.proof import Attempt, connecting, proven, reading, signalling, writing

_PROFILE = b"(version 1) (deny default)"
_PROFILE_IS_TEXT = 0


def raise_seatbelt(parent: int) -> Layer:
    """Deny everything, and try it."""
    why = _raise()
    if why:
        return Layer("seatbelt", stands=False, said=why)
    process = Attempt("a process", _start_a_process, (EPERM,))
    return proven("seatbelt", [reading(), writing(), connecting(), signalling(parent), process])


def _raise() -> str:
    """Why the sandbox cannot be raised; empty when it was."""
    try:
        initialise = ctypes.CDLL(None).sandbox_init
    except AttributeError:
        return "this system has no sandbox_init"
    initialise.argtypes = (ctypes.c_char_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_char_p))
    said = ctypes.c_char_p()
    if initialise(_PROFILE, _PROFILE_IS_TEXT, ctypes.byref(said)) == 0:
        return ""
    return f"the system refuses it: {(said.value or b'').decode(errors='replace')}"


def _start_a_process() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
