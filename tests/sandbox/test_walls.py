"""The whole wall, tried from inside with all of Python: nothing is read, written, reached, started or mapped."""

from __future__ import annotations

import platform
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.cell import NOTHING, USERS, WHOLE, answer, attempt, needs_linux

pytestmark = needs_linux

FILES = {
    "read": "open(secret).read()",
    "stat": "os.stat(secret)",
    "list": "os.listdir(folder)",
    "own environment": "open('/proc/self/environ').read()",
    "own program": "os.readlink('/proc/self/exe')",
    "where it stands": "os.getcwd()",
    "write": "open(canary, 'w').close()",
    "append": "open(secret, 'a').close()",
    "mode": "os.chmod(secret, 0o600)",
    "time": "os.utime(secret)",
    "folder": "os.mkdir(canary)",
    "link": "os.symlink(secret, canary)",
    "second name": "os.link(secret, canary)",
    "truncate": "os.truncate(secret, 0)",
    "rename": "os.rename(secret, canary)",
    "remove": "os.unlink(secret)",
}
REACHING = {
    "tcp": "socket.socket().connect(('127.0.0.1', port))",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
    "listen": "socket.create_server(('127.0.0.1', 0))",
    "unix": "socket.socket(socket.AF_UNIX).connect(unix)",
    "abstract": "socket.socket(socket.AF_UNIX).connect('\\0' + abstract)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "pair": "socket.socketpair()",
    "descriptors along": "socket.send_fds(told, [b'x'], [3])",
    "signal to mco": "os.kill(parent, 0)",
    "signal to all": "os.kill(-1, 0)",
    "signal by the socket": "fcntl.fcntl(3, fcntl.F_SETOWN, parent)",
}
STARTING = {
    "fork": "os.fork() or os._exit(0)",
    "program": "os.execv(program, [program, '-c', 'pass'])",
    "spawn": "os.posix_spawn(program, [program, '-c', 'pass'], {})",
}
CODE_LATER = """
start = ctypes.addressof(ctypes.c_char.from_buffer(mmap.mmap(-1, 4096)))
if libc.mprotect(ctypes.c_void_p(start), 4096, 5):
    raise OSError(ctypes.get_errno(), '')
"""
REST = {
    "descriptor": ("os.dup(3)", "EPERM"),
    "pipe": ("os.pipe()", "EPERM"),
    "memory file": ("os.memfd_create('x')", "EPERM"),
    "standard input": ("os.read(0, 1)", "EPERM"),
    "standard error": ("os.write(2, b'x')", "EPERM"),
    "thread": ("_thread.start_new_thread(print, ())", "RuntimeError"),
    "code": ("mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)", "EACCES"),
    "code later": (CODE_LATER, "EACCES"),
    "limit": ("resource.setrlimit(resource.RLIMIT_CPU, (9, 9))", "ValueError"),
    "other user": ("os.setuid(0)", "EPERM"),
    "module": ("import this", "ModuleNotFoundError"),
}
DEADLY = {  # numbers on x86-64 and arm64
    "ptrace": (101, 117),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "perf_event_open": (298, 241),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "personality": (135, 92),
    "seccomp": (317, 277),
    "landlock": (444, 444),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "timer_create": (222, 107),
    "pkey_mprotect": (329, 288),
    "rt_sigqueueinfo": (129, 138),
    "remap_file_pages": (216, 234),
    "open_by_handle_at": (304, 265),
    "of the future": (9999, 9999),
}


@pytest.fixture
def bait() -> Iterator[dict[str, object]]:
    """What is there to be read, written and connected to, open to every user of this machine."""
    with (
        tempfile.TemporaryDirectory() as name,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "secret").write_text("untouched")
        (folder / "secret").chmod(0o666)
        unix.bind(str(folder / "unix"))
        (folder / "unix").chmod(0o777)
        abstract.bind("\0" + folder.name)
        unix.listen()
        abstract.listen()
        yield {
            "folder": name,
            "secret": str(folder / "secret"),
            "canary": str(folder / "canary"),
            "unix": str(folder / "unix"),
            "abstract": folder.name,
            "port": tcp.getsockname()[1],
            "program": sys.executable,
        }


def check_untouched(bait: dict[str, object]) -> None:
    folder = Path(str(bait["folder"]))
    assert sorted(path.name for path in folder.iterdir()) == ["secret", "unix"]
    assert (folder / "secret").read_text() == "untouched"
    assert (folder / "secret").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("act", FILES)
def test_no_file_can_be_read_written_or_looked_at(
    act: str, user: int | None, bait: dict[str, object]
) -> None:
    assert attempt(FILES[act], bait, user=user) == "EACCES"
    check_untouched(bait)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("act", REACHING)
def test_nothing_can_be_reached_or_signalled(act: str, user: int | None, bait: dict[str, object]) -> None:
    assert attempt(REACHING[act], bait, user=user) == "EPERM"


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("act", STARTING)
def test_no_program_can_be_started(act: str, user: int | None, bait: dict[str, object]) -> None:
    assert attempt(STARTING[act], bait, user=user) == "EPERM"


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("act", REST)
def test_nothing_can_be_gained(act: str, user: int | None, bait: dict[str, object]) -> None:
    lines, error = REST[act]
    assert attempt(lines, bait, user=user) == error


@pytest.mark.parametrize("act", DEADLY)
def test_calls_that_no_interpreter_makes_end_the_process(act: str) -> None:
    number = DEADLY[act][platform.machine() == "aarch64"]
    assert attempt(f"call({number}, 0, 0, 0, 0, 0, 0)") == "SIGSYS"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="another way of calling that x86-64 has")
def test_calls_of_another_kind_end_the_process() -> None:
    assert attempt("call(0x40000000 + 39)") == "SIGSYS"


@pytest.mark.parametrize("act", {**FILES, **REACHING})
def test_without_the_wall_the_attempts_succeed(act: str, bait: dict[str, object]) -> None:
    """They are alive: what fails above fails because of the wall."""
    lines = {**FILES, **REACHING}[act]
    assert attempt(lines, bait, raised=NOTHING).endswith("done")


@pytest.mark.parametrize("user", USERS)
def test_every_layer_that_the_kernel_has_stands(user: int | None) -> None:
    lacking = answer("','.join(layer.name for layer in layers if not layer.stands)", user=user)
    bound = "" if user else "limit-processes"  # root is not held to it
    assert set(filter(None, lacking.split(","))) <= {bound, "landlock"}


def test_an_interpreter_goes_on_computing_behind_it() -> None:
    lines = """
numbers = [bytes(n) for n in range(3_000)]
import time
assert time.time() > 0 and time.monotonic() > 0 and time.process_time() > 0
assert sorted(str(10**5000 + n) for n in range(20))
assert len({n: [n] * 1_000 for n in range(20_000)}) == 20_000
"""
    assert attempt(lines, raised=f"sys.set_int_max_str_digits(0)\nimport time\n{WHOLE}") == "done"


def test_an_interpreter_that_aborts_dies_of_that_and_of_nothing_else() -> None:
    assert attempt("os.abort()") == "SIGABRT"
