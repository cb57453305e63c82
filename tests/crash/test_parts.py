"""A part of mco is killed in the middle of a run: the script's worker, or a program that answers a step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.record.events import StepFailed
from tests.crash.harness import RUN, Bench, ends_as_expected, follow, undisturbed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")


@pytest.fixture
def expected(tmp_path: Path) -> object:
    return undisturbed(Bench(tmp_path / "undisturbed"))


def below(process: subprocess.Popen[bytes], name: str) -> list[psutil.Process]:
    """The processes that mco started whose program is called so."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if child.name().startswith(name)]


def test_a_run_whose_worker_was_killed_says_so_and_is_taken_up_again(tmp_path: Path, expected: object):
    bench = Bench(tmp_path / "bench")
    process = bench.start(*RUN, "--stream", "jsonl")
    killed: list[int] = []

    def kill_worker() -> None:
        for worker in below(process, "python"):
            worker.kill()
            killed.append(worker.pid)

    ended = follow(process, after=10, do=kill_worker)
    assert killed
    assert ended.code == 1
    assert "Traceback" not in ended.errors
    assert "hint: run it again" in ended.errors
    ends_as_expected(bench, expected)


def test_a_step_whose_program_was_killed_fails_alone_and_is_asked_again(tmp_path: Path, expected: object):
    bench = Bench(tmp_path / "bench")
    (bench.folder / "answer").write_text('#!/bin/sh\nread -r prompt\n[ "$prompt" = "last 1" ] && kill -9 $$\n'
                                         'echo "$prompt" >>"$LEDGER"\necho "$NAME says: $prompt"\n')  # fmt: skip
    ended = follow(bench.start(*RUN, "--stream", "jsonl"))
    assert ended.code == 3  # done in part
    (failed,) = [event for event in bench.journals()[0] if isinstance(event, StepFailed)]
    assert failed.reason == "crashed"
    bench.mend()
    ends_as_expected(bench, expected)
    assert bench.asked()["last 0"] == 1
