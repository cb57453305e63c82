"""Finding processes by their marks, and killing none but those."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from engine import process_tree
from engine.process_tree import MARKER, Ending, Member, family, is_within, marked, marked_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@contextmanager
def sleeper(mark: str) -> Generator[subprocess.Popen[bytes]]:
    """A process with a mark, which stands when we get it."""
    script = "echo; exec sleep 300"
    with subprocess.Popen(
        ["/bin/sh", "-c", script], env={MARKER: mark, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_a_mark_is_within_its_own_and_those_it_goes_on_from():
    ours = is_within("12-ab")
    assert [ours(mark) for mark in ("12-ab", "12-ab-1", "12-abc", "2-ab", "112-ab-1")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_the_marks_of_every_mco_around_a_process_are_seen():
    with sleeper("9-outer-1:9-inner-2") as process:
        assert (process.pid, ("9-outer-1", "9-inner-2")) in list(marked())


def test_only_who_has_the_mark_dies():
    with sleeper("8-ours-1") as ours, sleeper("8-others-1") as others:
        Ending(is_within("8-ours")).kill()
        assert ours.wait() == -9
        assert others.poll() is None


def test_ending_goes_on_until_a_pass_finds_nobody():
    with sleeper("7-ours-1") as process:
        ending = Ending(is_within("7-ours"))
        ending.finish()
        assert process.wait() == -9
        assert not ending.kill()


def test_a_number_that_was_given_to_another_process_since_is_left_alone():
    with sleeper("6-others-1") as others:
        Ending(is_within("6-ours"), [Member(others.pid, "before it began")]).kill()
        assert others.poll() is None


def test_known_members_die_without_a_mark():
    with sleeper("5-others-1") as process:
        (member,) = family(process.pid)
        Ending(is_within("5-ours"), [member]).finish()
        assert process.wait() == -9


def test_systems_without_handles_for_processes_do_without(monkeypatch: pytest.MonkeyPatch):
    def refuse(pid: int, flags: int = 0) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    with sleeper("4-ours-1") as process:
        Ending(is_within("4-ours")).kill()
        assert process.wait() == -9


def test_a_process_that_has_gone_has_no_family():
    process = subprocess.Popen(["true"])
    process.wait()
    assert list(family(process.pid)) == []


def test_a_dead_process_that_nobody_collected_is_dead():
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert list(family(process.pid)) == []
    process.wait()


def test_marks_are_read_from_what_ps_prints():
    listing = f"""
      1 /sbin/launchd
     40 node /usr/bin/agent --flag HOME=/home/a {MARKER}=3-a-1:4-b-2 LANG=C
     41 vi notes-on-{MARKER}=.txt
    """
    assert list(marked_in(listing)) == [(40, ("3-a-1", "4-b-2"))]


@pytest.mark.parametrize("word", ["farewell\n", ""], ids=["with a farewell", "without"])
def test_the_program_of_the_watch_kills_unless_all_is_well(word: str):
    with sleeper("3-ours-1") as process:
        subprocess.run(
            [sys.executable, "-I", "-S", process_tree.__file__, "3-ours"],
            input=word, text=True, check=True, env={},
        )  # fmt: skip
        assert process.poll() == (None if word else -9) or (not word and process.wait() == -9)
