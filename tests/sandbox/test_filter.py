"""The seccomp filter of both processors, judged by a small machine of our own: no kernel is needed."""

from __future__ import annotations

import re
from errno import EACCES, EBADF, EPERM
from pathlib import Path

import pytest

from engine.sandbox.walls import filter as packet_filter
from engine.sandbox.walls.filter import ALLOW, INSTRUCTION, KILL, MACHINES, REFUSE, Machine, assemble
from engine.sandbox.walls.system_calls import ALLOWED, NARROWED, NOT_PERMITTED, WITHOUT_ACCESS
from tests.sandbox.test_walls import DEADLY

SOCKET, PROCESS = 3, 4242
EVERY = {**ALLOWED, **NARROWED, **WITHOUT_ACCESS, **NOT_PERMITTED}
machines = pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.name)


def program_of(machine: Machine) -> list[tuple[int, int, int, int]]:
    """Code, two distances, and value of every instruction, read back from what the kernel is given."""
    return list(INSTRUCTION.iter_unpack(assemble(machine, SOCKET, PROCESS)))


def verdict(machine: Machine, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter returns for a call; the machine of classic BPF, as far as the filter uses it."""
    words = {0: number, 4: machine.audit if audit is None else audit}
    for place, argument in enumerate([*arguments, *[0] * (6 - len(arguments))]):
        words[16 + 8 * place], words[20 + 8 * place] = argument & 0xFFFFFFFF, argument >> 32
    program, at, accumulator = program_of(machine), 0, 0
    while True:
        code, then, otherwise, value = program[at]
        at += 1
        if code == packet_filter.LOAD:
            accumulator = words[value]
        elif code == packet_filter.MASK:
            accumulator &= value
        elif code == packet_filter.JUMP:
            at += value
        elif code == packet_filter.EQUAL:
            at += then if accumulator == value else otherwise
        elif code == packet_filter.AT_LEAST:
            at += then if accumulator >= value else otherwise
        elif code == packet_filter.ANY_BIT:
            at += then if accumulator & value else otherwise
        else:
            assert code == packet_filter.RETURN
            return value


def number(machine: Machine, name: str) -> int:
    found = EVERY[name][machine.column]
    assert found is not None
    return found


@machines
def test_every_call_of_the_table_gets_its_verdict(machine: Machine) -> None:
    for calls, wanted in (
        (ALLOWED, ALLOW),
        (WITHOUT_ACCESS, REFUSE + EACCES),
        (NOT_PERMITTED, REFUSE + EPERM),
    ):
        found = {
            name: verdict(machine, each)
            for name, row in calls.items()
            if (each := row[machine.column]) is not None
        }
        assert set(found.values()) == {wanted}
        assert len(found) >= 20


@machines
def test_every_other_call_ends_the_process(machine: Machine) -> None:
    known = {row[machine.column] for row in EVERY.values()}
    assert {verdict(machine, each) for each in range(1_200) if each not in known} == {KILL}
    deadly = [row[machine.column] for row in DEADLY.values()]
    assert {verdict(machine, each) for each in deadly} == {KILL}


@machines
@pytest.mark.parametrize("audit", [0x40000003, 0x40000028, 0xC000003E, 0xC00000B7, 0])
def test_calls_of_another_processor_end_the_process(machine: Machine, audit: int) -> None:
    wanted = ALLOW if audit == machine.audit else KILL
    assert verdict(machine, number(machine, "getpid"), audit=audit) == wanted


def test_the_second_way_of_calling_on_x86_ends_the_process() -> None:
    machine = MACHINES["x86_64"]
    assert {verdict(machine, 0x40000000 + each) for each in range(600)} == {KILL}
    assert verdict(machine, 0xFFFFFFFF) == KILL


@machines
@pytest.mark.parametrize("name", ["recvfrom", "sendto"])
def test_only_the_one_socket_can_be_used(machine: Machine, name: str) -> None:
    assert verdict(machine, number(machine, name), SOCKET) == ALLOW
    for other in (0, 1, 2, 4, 0xFFFFFFFF):
        assert verdict(machine, number(machine, name), other) == REFUSE + EBADF


@machines
@pytest.mark.parametrize(
    ("protection", "flags", "wanted"),
    [
        (3, 0x22, ALLOW),
        (0, 0x4022, ALLOW),
        (7, 0x22, REFUSE + EACCES),
        (4, 0x22, REFUSE + EACCES),
        (5, 0x02, REFUSE + EACCES),
        (1, 0x02, REFUSE + EACCES),
        (3, 0x01, REFUSE + EACCES),
    ],
)
def test_memory_is_fresh_and_never_code(machine: Machine, protection: int, flags: int, wanted: int) -> None:
    assert verdict(machine, number(machine, "mmap"), 0, 4096, protection, flags) == wanted


@machines
def test_memory_never_becomes_code(machine: Machine) -> None:
    found = {verdict(machine, number(machine, "mprotect"), 0, 4096, each) for each in range(4, 8)}
    assert found == {REFUSE + EACCES}
    assert {verdict(machine, number(machine, "mprotect"), 0, 4096, each) for each in range(4)} == {ALLOW}


@machines
def test_locks_wait_and_wake_and_do_nothing_else(machine: Machine) -> None:
    private, clock = 128, 256
    allowed = [each for each in range(20) if verdict(machine, number(machine, "futex"), 0, each) == ALLOW]
    assert allowed == [0, 1, 9, 10]
    assert verdict(machine, number(machine, "futex"), 0, 9 | private | clock) == ALLOW
    assert verdict(machine, number(machine, "futex"), 0, 6 | private) == REFUSE + EPERM


@machines
def test_a_process_may_abort_itself_and_signal_nobody_else(machine: Machine) -> None:
    assert verdict(machine, number(machine, "tgkill"), PROCESS, PROCESS, 6) == ALLOW
    for other in (0, 1, PROCESS + 1, 0xFFFFFFFF):
        assert verdict(machine, number(machine, "tgkill"), other, other, 6) == REFUSE + EPERM


@machines
def test_the_kernel_can_take_the_program(machine: Machine) -> None:
    program = program_of(machine)
    assert len(program) <= 4096
    ends = [
        at + 1 + far
        for at, (code, then, otherwise, value) in enumerate(program)
        for far in ([value] if code == packet_filter.JUMP else [then, otherwise])
        if code != packet_filter.RETURN
    ]
    assert max(ends) < len(program)
    assert program[-1] == (packet_filter.RETURN, 0, 0, KILL)


@machines
def test_no_number_has_two_verdicts(machine: Machine) -> None:
    rows = [
        row[machine.column]
        for table in (ALLOWED, NARROWED, WITHOUT_ACCESS, NOT_PERMITTED)
        for row in table.values()
    ]
    numbers = [each for each in rows if each is not None]
    assert len(numbers) == len(set(numbers))


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
YOUNGER = {"fchmodat2"}
"""Calls that the headers of an older system do not know."""


@pytest.mark.parametrize("name", HEADERS)
def test_the_numbers_are_the_kernels(name: str) -> None:
    header = HEADERS[name]
    if not header.is_file():
        pytest.skip("the kernel's headers are not installed here")
    text = header.read_text()
    theirs = {found[1]: int(found[2]) for found in re.finditer(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    theirs.setdefault("newfstatat", theirs.get("fstatat", -1))
    column = MACHINES[name].column
    ours = {call: row[column] for call, row in EVERY.items() if call not in YOUNGER}
    wrong = {call: (ours[call], theirs.get(call)) for call in ours if ours[call] != theirs.get(call)}
    assert wrong == {}
