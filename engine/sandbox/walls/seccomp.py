"""The seccomp filter: the kernel judges every further system call of this process, and it cannot be taken off."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from errno import EACCES, EINVAL, ENOSYS, EPERM

from engine.sandbox.layer import Layer
from engine.sandbox.walls import kernel
from engine.sandbox.walls.filter import INSTRUCTION, MACHINES, Machine, assemble
from engine.sandbox.walls.limits import SOCKET
from engine.sandbox.walls.process import limit_core_dumps
from engine.sandbox.walls.proof import Attempt, missing, proven, reading, writing
from engine.sandbox.walls.system_calls import NOT_PERMITTED, Numbers

_SECCOMP: Numbers = (317, 277)
_SET_FILTER, _ALL_THREADS = 1, 1
_NONSENSE = 0x800
"""A flag of `clone` that is refused unless another stands beside it: no process is made when the filter lets it by."""
_REASONS = {
    ENOSYS: "the kernel has no seccomp",
    EINVAL: "the kernel has no seccomp filters",
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def raise_seccomp() -> Layer:
    """Allow what an interpreter needs to compute, and nothing else. Needs no_new_privs; the last layer of all."""
    machine = MACHINES.get(os.uname().machine)
    if machine is None or sys.maxsize < 2**32:
        return Layer("seccomp", stands=False, said="mco has no filter for this kind of processor")
    program = assemble(machine, SOCKET, os.getpid())
    try:
        kernel.system_call(
            _SECCOMP[machine.column] or 0,
            _SET_FILTER,
            _ALL_THREADS,
            ctypes.byref(_Program(len(program) // INSTRUCTION.size, program)),
        )
    except OSError as error:
        return missing("seccomp", error, _REASONS)
    return proven("seccomp", _attempts(machine))


def _attempts(machine: Machine) -> list[Attempt]:
    clone = NOT_PERMITTED["clone"][machine.column] or 0
    return [
        reading(),
        writing(),
        Attempt("a socket", lambda: socket.socket().close(), (EPERM,)),
        Attempt("a process", lambda: kernel.system_call(clone, _NONSENSE, 0, 0, 0, 0), (EPERM,)),
        Attempt("a program", lambda: os.execv("/", ["/"]), (EPERM,)),  # noqa: S606 - it must fail
        Attempt("a signal", lambda: os.kill(os.getpid(), 0), (EPERM,)),
        Attempt("a limit set anew", lambda: limit_core_dumps(0), (EPERM,)),
        Attempt("code in memory", lambda: kernel.map_memory(4096, kernel.READ_EXECUTE), (EACCES,)),
    ]
