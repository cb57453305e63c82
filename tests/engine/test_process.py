"""Real children: that talk, say nothing, hang, ignore signals and leave grandchildren elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest

from engine import process
from engine.process import Command, Exit, child_environment, run_child
from engine.process_tree import Ending, is_within, kill_everything

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")]


async def sh(script: str, tmp_path: Path, data: bytes = b"", **limits: float) -> tuple[Exit, list[bytes]]:
    lines: list[bytes] = []
    command = Command(
        arguments=("/bin/sh", "-c", script),
        folder=tmp_path,
        environment=child_environment(os.environ),
        input=data,
    )
    return await run_child(command, lines.append, **limits), lines


async def alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except ProcessLookupError:
        return False
    # A killed grandchild may stay a zombie until init collects it; it runs no more.
    return "State:\tZ" not in Path(f"/proc/{pid_file.read_text().strip()}/status").read_text()


async def test_lines_come_whole_however_long_and_the_last_needs_no_newline(tmp_path: Path):
    data = b"x" * 3_000_000 + b"\nshort\n\nlast"
    ended, lines = await sh("cat; echo oops >&2", tmp_path, data)
    assert [len(line) for line in lines] == [3_000_000, 5, 0, 4]
    assert (ended.code, ended.cut, ended.errors) == (0, None, "oops")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pipe is as wide as it is")
async def test_a_child_that_does_not_wait_for_its_reader_loses_nothing(tmp_path: Path):
    # As programs on node do: what the pipe has no room for is thrown away when they exit.
    script = "import os, sys; sys.stdin.read(); os.set_blocking(1, False); os.write(1, b'x' * 900_000)"
    _, lines = await sh(f'exec "{sys.executable}" -I -S -c "{script}"', tmp_path)
    assert [len(line) for line in lines] == [900_000]


async def test_a_child_that_does_not_read_its_input_is_fine(tmp_path: Path):
    ended, lines = await sh("echo done", tmp_path, b"x" * 1_000_000)
    assert (ended.code, lines) == (0, [b"done"])


async def test_the_exit_code_and_the_end_of_what_it_complained(tmp_path: Path):
    ended, _ = await sh("yes complaint | head -n 100000 >&2; echo final >&2; exit 7", tmp_path)
    assert ended.code == 7
    assert ended.errors.endswith("final")
    assert len(ended.errors) <= process.TAIL_BYTES


async def test_a_silent_child_is_stalled_and_one_that_talks_is_not(tmp_path: Path):
    ended, _ = await sh("sleep 60", tmp_path, stall_timeout=0.2)
    assert ended.cut == "stalled"
    talks = "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done"
    ended, lines = await sh(talks, tmp_path, stall_timeout=10)
    assert (ended.cut, len(lines)) == (None, 5)


async def test_the_deadline_holds_for_a_child_that_talks(tmp_path: Path):
    ended, _ = await sh("while :; do echo x; done", tmp_path, timeout=0.3)
    assert ended.cut == "timeout"


async def test_ignored_signals_and_other_sessions_do_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    script = (
        "trap '' TERM; setsid sh -c 'echo $$ > elsewhere; exec sleep 300' & "
        "sh -c 'echo $$ > group; exec sleep 300' & "
        "while [ ! -s elsewhere ] || [ ! -s group ]; do sleep 0.02; done; echo ready; sleep 300"
    )
    ended, lines = await sh(script, tmp_path, timeout=3)
    assert (ended.cut, lines) == ("timeout", [b"ready"])
    assert not await alive(tmp_path / "group")
    if sys.platform == "linux":
        assert not await alive(tmp_path / "elsewhere")


async def test_cancelling_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    ready = anyio.Event()
    command = Command(
        arguments=("/bin/sh", "-c", "echo $$ > pid; echo ready; sleep 300"),
        folder=tmp_path,
        environment=child_environment(os.environ),
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_child, command, lambda line: ready.set())
        await ready.wait()
        tasks.cancel_scope.cancel()
    assert not await alive(tmp_path / "pid")


async def test_output_held_open_by_a_grandchild_does_not_hold_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "LINGER_SECONDS", 0.2)
    with anyio.fail_after(20):
        ended, lines = await sh("sleep 300 & echo $! > pid; echo answer", tmp_path)
    assert (ended.code, lines) == (0, [b"answer"])
    assert not await alive(tmp_path / "pid")


async def test_a_line_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "MAXIMUM_LINE", 1_000_000)
    ended, _ = await sh("cat /dev/zero", tmp_path)
    assert ended.cut == "line"


async def test_a_program_that_is_not_there_is_an_os_error(tmp_path: Path):
    command = Command(arguments=(str(tmp_path / "none"),), folder=tmp_path, environment={})
    with pytest.raises(OSError, match="No such file"):
        await run_child(command, lambda line: None)


def test_a_child_sees_an_allow_list_of_our_environment():
    ours = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "CLAUDECODE": "1",
        "SECRET": "s",
        "MY_KEY": "k",
        "XDG_DATA_HOME": "/d",
    }
    assert child_environment(ours, ("MY_KEY",)) == {
        "PATH": "/bin", "LC_ALL": "C", "MY_KEY": "k", "XDG_DATA_HOME": "/d",
    }  # fmt: skip


def test_no_process_has_a_marker_that_was_never_given():
    assert not Ending(is_within("never-given")).kill()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_everything_that_was_started_can_be_killed_without_waiting(tmp_path: Path):
    script = "trap '' TERM; setsid sh -c 'echo $$ > pid; echo; exec sleep 60' & while :; do sleep 60; done"
    command = Command(("/bin/sh", "-c", script), tmp_path, child_environment(os.environ))
    started = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_child, command, lambda _line: started.set())
        await started.wait()
        kill_everything()
    assert not await alive(tmp_path / "pid")


@pytest.mark.parametrize("output", ["one\\n", "one"], ids=["a whole line", "a last line without its newline"])
async def test_what_the_listener_raises_comes_out_where_the_child_was_started(tmp_path: Path, output: str):
    def refuse(line: bytes) -> None:
        raise KeyError(line)

    command = Command(("/bin/sh", "-c", f"printf '{output}'"), tmp_path, child_environment(os.environ))
    with pytest.raises(KeyError):
        await run_child(command, refuse)
