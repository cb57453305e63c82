"""Assembles the seccomp filter: a program for the kernel's packet filter machine that judges each system call.

It may read the call's number, the machine's and the arguments; what it returns happens. The machine is classic BPF:
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from errno import EACCES, EBADF, EPERM
from typing import NamedTuple

from engine.sandbox.walls.system_calls import ALLOWED, NARROWED, NOT_PERMITTED, WITHOUT_ACCESS, Numbers

LOAD, JUMP, EQUAL, AT_LEAST, ANY_BIT, RETURN, MASK = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06, 0x54
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
"""What the filter may return; an error number is added to REFUSE."""
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_EXECUTABLE, _ANONYMOUS = 0x4, 0x20
_FUTEX_COMMAND, _FUTEX_WAITS_AND_WAKES = 0x7F, (0, 1, 9, 10)


class Machine(NamedTuple):
    """A kind of processor. `column` is its place in the table of numbers, `audit` the kernel's word for it."""

    name: str
    column: int
    audit: int
    foreign_calls: int | None
    """From this number on, calls belong to another way of calling (x32), whose numbers mean other things."""


MACHINES = {
    "x86_64": Machine("x86-64", 0, 0xC000003E, 0x40000000),
    "aarch64": Machine("arm64", 1, 0xC00000B7, None),
}


INSTRUCTION = struct.Struct("=HBBI")
"""What it does, how many instructions it skips when a comparison holds and when not, and its value."""
Program = list[bytes]


def instruction(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction as the kernel reads it."""
    return INSTRUCTION.pack(code, then, otherwise, value)


def assemble(machine: Machine, socket: int, process: int) -> bytes:
    """The filter for a worker with this socket and this process id."""
    program = [
        *_only_on(machine),
        *_for_each(machine, _narrowed(socket, process)),
        *_for_any(machine, ALLOWED, ALLOW),
        *_for_any(machine, WITHOUT_ACCESS, REFUSE + EACCES),
        *_for_any(machine, NOT_PERMITTED, REFUSE + EPERM),
        instruction(RETURN, KILL),
    ]
    return b"".join(program)


def _only_on(machine: Machine) -> Program:
    """Other machines' calls (32-bit ones, say) have other numbers, and none of them is wanted."""
    program = [
        instruction(LOAD, _MACHINE),
        instruction(EQUAL, machine.audit, then=1),
        instruction(RETURN, KILL),
        instruction(LOAD, _NUMBER),
    ]
    if machine.foreign_calls is not None:
        program += [instruction(AT_LEAST, machine.foreign_calls, otherwise=1), instruction(RETURN, KILL)]
    return program


def _for_any(machine: Machine, calls: dict[str, Numbers], verdict: int) -> Program:
    """One verdict for many calls: each comparison jumps to the one return at the end."""
    numbers = [found for call in calls.values() if (found := call[machine.column]) is not None]
    compared = [instruction(EQUAL, number, then=len(numbers) - place) for place, number in enumerate(numbers)]
    return [*compared, instruction(JUMP, 1), instruction(RETURN, verdict)]


def _for_each(machine: Machine, rules: dict[str, Program]) -> Iterable[bytes]:
    """A rule for each call. A rule always returns, since it loads over the call's number."""
    for name, rule in rules.items():
        number = NARROWED[name][machine.column]
        if number is not None:
            yield instruction(EQUAL, number, otherwise=len(rule))
            yield from rule


def _narrowed(socket: int, process: int) -> dict[str, Program]:
    return {
        "recvfrom": _if_first_argument_is(socket, EBADF),
        "sendto": _if_first_argument_is(socket, EBADF),
        "futex": _a_simple_futex(),
        "mmap": _fresh_memory_without_code(),
        "mprotect": _unless_executable(),
        "tgkill": _if_first_argument_is(process, EPERM),  # how the interpreter aborts itself
    }


def _if_first_argument_is(value: int, error: int) -> Program:
    return [
        _argument(0),
        instruction(EQUAL, value, otherwise=1),
        instruction(RETURN, ALLOW),
        instruction(RETURN, REFUSE + error),
    ]


def _a_simple_futex() -> Program:
    """Waiting and waking, which locks need; the rest of futex has been a way into the kernel more than once."""
    simple = [
        instruction(EQUAL, command, then=len(_FUTEX_WAITS_AND_WAKES) - place)
        for place, command in enumerate(_FUTEX_WAITS_AND_WAKES)
    ]
    return [
        _argument(1),
        instruction(MASK, _FUTEX_COMMAND),
        *simple,
        instruction(RETURN, REFUSE + EPERM),
        instruction(RETURN, ALLOW),
    ]


def _fresh_memory_without_code() -> Program:
    return [
        _argument(2),
        instruction(ANY_BIT, _EXECUTABLE, then=2),
        _argument(3),
        instruction(ANY_BIT, _ANONYMOUS, then=1),
        instruction(RETURN, REFUSE + EACCES),
        instruction(RETURN, ALLOW),
    ]


def _unless_executable() -> Program:
    return [
        _argument(2),
        instruction(ANY_BIT, _EXECUTABLE, otherwise=1),
        instruction(RETURN, REFUSE + EACCES),
        instruction(RETURN, ALLOW),
    ]


def _argument(place: int) -> bytes:
    """Load an argument's lower half: all that the kernel reads of a descriptor, an id, and these flags."""
    return instruction(LOAD, _ARGUMENTS + 8 * place)
