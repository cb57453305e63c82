"""Two real processes of mco that want the same thing at the same moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.harness import RUN, Bench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs locks and pipes with names")

ASKS = """\
meta = {"name": "asks", "description": "asks one question"}

async def main(args):
    return await agent("the question", label="one", reads=[])
"""

# It writes down that it was asked, and where there is a door, knocks and answers when somebody lets it in.
WAITS = """#!/bin/sh
read -r prompt
echo "$prompt" >>"$LEDGER"
if [ -p "$LEDGER.door" ]; then
    exec 3<>"$LEDGER.door"
    echo here >"$LEDGER.knock"
    read -r _ <&3
fi
echo "$NAME says: $prompt"
"""


class Doors:
    """Runs of one workspace, whose program answers when the test lets it in."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.bench.flow.write_text(ASKS)
        (folder / "answer").write_text(WAITS)
        self._door, self._knock = folder / "ledger.door", folder / "ledger.knock"
        os.mkfifo(self._knock)
        self._processes: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        """From now on the program waits."""
        os.mkfifo(self._door)

    def remove(self) -> Path:
        """From now on it does not; who waits already is let in by what this returns."""
        return self._door.rename(self._door.with_name("aside"))

    def somebody_waits(self) -> None:
        """Wait until the program does."""
        assert self._knock.read_text() == "here\n"

    def open(self, door: Path | None = None) -> None:
        """Let in one that waits."""
        (door or self._door).write_bytes(b"\n")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`mco …`, whose events are read with `until`."""
        process = self.bench.start(*arguments, "--stream", "jsonl")
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Nothing of it is left, however the test went."""
        for process in self._processes:
            with process:
                process.kill()


@pytest.fixture
def doors(tmp_path: Path) -> Generator[Doors]:
    doors = Doors(tmp_path)
    yield doors
    doors.end()


def until(process: subprocess.Popen[bytes], *kinds: str) -> dict[str, Any]:
    """The next event of one of these kinds."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["kind"] in kinds:
            return event
    raise AssertionError(f"it ended without any of {kinds}")


def rest(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Its exit code and what it said, when it has ended."""
    _, errors = process.communicate()
    return process.returncode, errors.decode()


def test_a_step_that_two_runs_want_at_once_is_asked_once_and_the_other_finds_the_answer(doors: Doors):
    doors.close()
    first = doors.start(*RUN)
    run_id = until(first, "RunStarted")["run_id"]
    until(first, "StepStarted")
    second = doors.start(*RUN)
    waits = until(second, "Logged", "StepStarted")
    assert waits.get("message") == "'one' is being asked by another run: waiting for its answer"
    doors.somebody_waits()
    doors.open()
    assert until(first, "StepFinished", "StepFailed")["kind"] == "StepFinished"
    ended = until(second, "StepReused", "StepStarted", "StepFailed")
    assert (ended["kind"], ended["from_run"]) == ("StepReused", run_id)
    assert ended["answer"] == "one says: the question"
    assert (rest(first)[0], rest(second)[0]) == (0, 0)
    assert doors.bench.asked() == {"the question": 1}


def test_when_the_run_that_asks_is_killed_the_one_that_waits_asks_itself(doors: Doors):
    doors.close()
    first = doors.start(*RUN)
    until(first, "StepStarted")
    second = doors.start(*RUN)
    until(second, "Logged")
    doors.somebody_waits()
    doors.remove()
    first.kill()
    assert until(second, "StepReused", "StepFinished", "StepFailed")["kind"] == "StepFinished"
    assert rest(second)[0] == 0


def test_a_fresh_run_waits_for_nobody_whose_answer_it_would_not_take(doors: Doors):
    doors.close()
    first = doors.start(*RUN)
    doors.somebody_waits()
    aside = doors.remove()
    second = doors.start(*RUN, "--fresh")
    assert until(second, "Logged", "StepStarted")["kind"] == "StepStarted"
    assert rest(second)[0] == 0
    doors.open(aside)
    assert rest(first)[0] == 0
    assert doors.bench.asked() == {"the question": 2}


def test_a_run_is_taken_up_by_one_process_and_the_second_is_refused_by_name(doors: Doors):
    doors.close()
    killed = doors.start(*RUN)
    run_id = until(killed, "RunStarted")["run_id"]
    doors.somebody_waits()
    killed.kill()
    killed.wait()
    journal = doors.bench.runs / run_id / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"seq":4,"at":1.0,"ki')  # as a power failure leaves it

    doors.remove()
    doors.close()
    first = doors.start("resume", run_id)
    doors.somebody_waits()
    code, said = rest(doors.start("resume", run_id))
    assert code == 2
    assert f"the run {run_id} is being taken up again by process {first.pid}" in said
    code, said = rest(doors.start("resume"))
    assert code == 2
    assert f"still goes on in process {first.pid}" in said
    doors.open()
    assert rest(first)[0] == 0

    *_, last = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert (last["kind"], last["status"]) == ("RunFinished", "interrupted")
