"""Each layer of the wall alone does what it says; one that is missing or does not hold is named with its reason."""

from __future__ import annotations

import pytest

from engine.sandbox.layer import Layer, gaps
from tests.sandbox.cell import ROOT, USERS, WHOLE, answer, attempt, needs_linux

PRIVILEGES = "process.give_up_rights(parent)\n"
AS_ASKED = "layers = limits.set_limits(256 << 20, 1)"
LANDLOCK = PRIVILEGES + "landlock.raise_landlock(parent)"
SECCOMP = PRIVILEGES + "seccomp.raise_seccomp()"
LIMITS = "limits.set_limits(256 << 20, 1)"
WITHOUT = """
honest = kernel.system_call
def system_call(number, *arguments):
    if number in {numbers}:
        {instead}
    return honest(number, *arguments)
kernel.system_call = system_call
"""
NO_LANDLOCK, NO_SECCOMP = "(444, 446)", "(317, 277)"
IT_LACKS = "raise OSError(errno.ENOSYS, 'Function not implemented')"


def kernel_without(numbers: str, instead: str = IT_LACKS) -> str:
    return WITHOUT.format(numbers=numbers, instead=instead) + WHOLE


def told_of(name: str, raised: str) -> str:
    return answer(
        f"[f'{{each.stands}}: {{each.said}}' for each in layers if each.name == {name!r}][0]", raised=raised
    )


@needs_linux
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    ("lines", "ended"),
    [
        ("open('/etc/passwd')", "EACCES"),
        ("os.listdir('/')", "EACCES"),
        ("open('/dev/null', 'w')", "EACCES"),
        ("os.execv('/bin/true', ['true'])", "EACCES"),
        ("socket.socket().connect(('127.0.0.1', 9))", "EACCES"),
        ("socket.create_server(('127.0.0.1', 0))", "EACCES"),
        ("os.kill(parent, 0)", "EPERM"),
        ("os.stat('/')", "done"),  # not Landlock's: seccomp has it
    ],
)
def test_landlock_alone_denies_files_tcp_and_signals(lines: str, ended: str, user: int | None) -> None:
    if "False" in told_of("landlock", WHOLE):
        pytest.skip("this kernel has no Landlock")
    assert attempt(lines, raised=LANDLOCK, user=user) == ended


@needs_linux
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    ("lines", "ended"),
    [
        ("open('/etc/passwd')", "EACCES"),
        ("os.stat('/')", "EACCES"),
        ("os.chmod('/tmp', 0o777)", "EACCES"),
        ("socket.socket()", "EPERM"),
        ("os.fork() or os._exit(0)", "EPERM"),
        ("_thread.start_new_thread(print, ())", "RuntimeError"),
        ("os.kill(parent, 0)", "EPERM"),
        ("fcntl.fcntl(3, fcntl.F_SETOWN, parent)", "EPERM"),
        ("mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)", "EACCES"),
        ("mmap.mmap(-1, 4096)", "done"),
        ("told.recv(1, socket.MSG_DONTWAIT)", "EAGAIN"),
    ],
)
def test_seccomp_alone_denies_all_of_it(lines: str, ended: str, user: int | None) -> None:
    assert attempt(lines, raised=SECCOMP, user=user) == ended


@needs_linux
@pytest.mark.parametrize(
    ("lines", "ended"),
    [
        ("os.write(os.memfd_create('x'), b'x')", "EFBIG"),
        ("bytearray(300 << 20)", "MemoryError"),
        ("while True: pass", "SIGXCPU"),
        ("open('/etc/passwd')", "done"),
    ],
)
def test_the_limits_alone_bound_files_memory_and_time(lines: str, ended: str) -> None:
    assert attempt(lines, raised=LIMITS) == ended


@needs_linux
@pytest.mark.parametrize("lines", ["open('/etc/passwd')", "socket.socket()", "os.pipe()"])
def test_without_descriptors_nothing_can_be_opened(lines: str) -> None:
    assert attempt(lines, raised="limits.close_descriptors()") == "EMFILE"


@needs_linux
def test_nothing_but_the_socket_stays_open() -> None:
    raised = "extra = os.open('/dev/null', os.O_RDONLY)\nlimits.close_descriptors()"
    for descriptor in ("0", "1", "2", "extra"):
        assert attempt(f"os.fstat({descriptor})", raised=raised) == "EBADF"
    assert attempt("os.fstat(3)", raised=raised) == "done"


@needs_linux
@pytest.mark.parametrize("user", USERS)
def test_without_capabilities_not_even_root_raises_a_limit(user: int | None) -> None:
    raised = LIMITS + "\nprocess.drop_capabilities()"
    assert (
        attempt("resource.setrlimit(resource.RLIMIT_CPU, (9, 9))", raised=raised, user=user) == "ValueError"
    )
    assert attempt("os.setuid(1)", raised=raised, user=user) == "EPERM"


@needs_linux
def test_a_worker_whose_parent_is_gone_ends_at_once() -> None:
    assert attempt("print('here')", raised="process.give_up_rights(parent + 1)") == ""


@needs_linux
def test_the_environment_is_gone() -> None:
    raised = "os.environ['TOKEN'] = 'x'\nlayers = surroundings.leave_surroundings()"
    assert answer("dict(os.environ)", raised=raised) == "{}"
    assert told_of("environment", raised) == "True: it is empty"


@needs_linux
def test_a_kernel_without_landlock_is_named_and_the_wall_is_whole_all_the_same() -> None:
    raised = kernel_without(NO_LANDLOCK)
    assert told_of("landlock", raised) == "False: the kernel has no Landlock; it came with Linux 5.13"
    assert told_of("seccomp", raised).startswith("True: refused when tried: reading, writing")
    assert answer("__import__('engine.sandbox.layer', fromlist=['gaps']).gaps(layers)", raised=raised) == "[]"


@needs_linux
@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (IT_LACKS, "False: the kernel has no seccomp"),
        ("raise OSError(errno.EINVAL, 'Invalid argument')", "False: the kernel has no seccomp filters"),
        ("raise OSError(errno.EPERM, 'Not permitted')", "False: the system refuses it: Not permitted"),
        ("return 0", "False: it was raised, but does not stop reading"),
    ],
)
def test_a_kernel_without_seccomp_is_named_and_the_wall_is_not_whole(instead: str, said: str) -> None:
    raised = kernel_without(NO_SECCOMP, instead)
    assert told_of("seccomp", raised) == said
    lacking = answer("__import__('engine.sandbox.layer', fromlist=['gaps']).gaps(layers)", raised=raised)
    assert lacking == str([f"seccomp is missing: {said.removeprefix('False: ')}"])


@needs_linux
def test_landlock_that_does_not_hold_is_not_believed() -> None:
    """The kernel says yes to everything: what counts is what a try comes to."""
    instead = "return 7 if number == 444 and not arguments[1] else os.open('/dev/null', 0)"
    raised = kernel_without(NO_LANDLOCK, instead)
    assert told_of("landlock", raised) == "False: version 7; it was raised, but does not stop reading"


@needs_linux
def test_an_older_landlock_is_asked_for_what_it_knows() -> None:
    """Version 1 has neither TCP nor scopes; more would be refused by a kernel of its time."""
    raised = f"{PRIVILEGES}landlock._restrict(1)"
    assert attempt("os.listdir('/')", raised=raised) == "EACCES"
    connecting = "here = socket.create_server(('127.0.0.1', 0))\nsocket.socket().connect(here.getsockname())"
    assert attempt(connecting, raised=raised) == "done"


@needs_linux
@pytest.mark.parametrize("name", ["riscv64", "i686"])
def test_a_processor_without_a_filter_is_named(name: str) -> None:
    raised = f"os.uname = lambda: type('U', (), {{'machine': {name!r}}})\n{WHOLE}"
    assert told_of("seccomp", raised) == "False: mco has no filter for this kind of processor"


@needs_linux
def test_every_layer_is_explained_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "command.md").read_text(encoding="utf-8")
    explained = {
        name for line in page.splitlines() if line.startswith("| `") for name in line.split("|")[1].split("`")
    }
    told = answer("' '.join(each.name for each in layers)").split()
    assert len(told) >= 15
    assert set(told) <= explained


def test_a_wall_is_whole_only_with_every_layer_that_is_needed() -> None:
    names = ("no-new-privileges", "limit-cpu", "limit-files", "limit-descriptors", "limit-memory", "seccomp")
    whole = [Layer(name, stands=True, said="tried") for name in names]
    assert gaps(whole, "linux") == []
    for place, layer in enumerate(whole):
        fallen = [*whole]
        fallen[place] = layer._replace(stands=False, said="why")
        assert gaps(fallen, "linux") == [f"{layer.name} is missing: why"]
        assert gaps([*whole[:place], *whole[place + 1 :]], "linux") == [
            f"{layer.name} is missing: its process did not speak of it"
        ]


def test_macos_needs_seatbelt_and_windows_has_no_whole_wall() -> None:
    assert [gap.partition(" ")[0] for gap in gaps([], "darwin")] == [
        "limit-cpu", "limit-files", "limit-descriptors", "seatbelt",
    ]  # fmt: skip
    assert len(gaps([Layer("job-object", stands=True, said="")], "win32")) == 1


@needs_linux
@pytest.mark.parametrize("user", USERS)
def test_a_limit_that_root_is_not_held_to_is_not_said_to_stand(user: int | None) -> None:
    found = answer(
        "[os.geteuid() == 0, 'limit-processes' in [x.name for x in layers if x.stands]]",
        raised=AS_ASKED,
        user=user,
    )
    assert found in ("[True, False]", "[False, True]")
