"""A run that was killed, when another one goes on from it; real processes that want to do so at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.record.events import Event, RunFinished, RunStarted, StepFinished, StepQueued, Tokens
from engine.record.folder import RunFolder
from engine.record.journal import Journal, read_journal
from engine.record.lock import RunLock
from engine.record.taking_up import take_up
from engine.record.view import fold

RUN = "20261121-110457-3f9a"
KILLED: tuple[Event, ...] = (
    RunStarted(seq=1, at=100.0, run_id=RUN, workflow="w"),
    StepQueued(seq=2, at=101.0, step=1, label="one", key="k"),
    StepFinished(seq=3, at=107.5, step=1, provider="fake", seconds=6.5, usage=Tokens(input_tokens=40, cost=0.2)),
)  # fmt: skip
TORN = b'{"seq":4,"at":108.0,"kind":"StepQu'


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run whose mco was killed while it wrote a line."""
    folder = RunFolder.create(tmp_path, RUN)
    journal = Journal(folder.journal)
    for event in KILLED:
        journal.write(event)
    journal.close()
    with folder.journal.open("ab") as file:
        file.write(TORN)
    return folder


def taken_up(folder: RunFolder) -> None:
    lock = take_up(folder.path.parent, folder.run_id)
    assert lock is not None
    lock.release()


def test_a_killed_run_is_mended_and_gets_its_last_word(folder: RunFolder):
    taken_up(folder)
    assert TORN not in folder.journal.read_bytes()
    *events, end = read_journal(folder.journal)
    assert tuple(events) == KILLED
    assert isinstance(end, RunFinished)
    assert (end.seq, end.at, end.status, end.seconds) == (4, 107.5, "interrupted", 7.5)
    assert end.usage == Tokens(input_tokens=40, cost=0.2)
    assert fold([*events, end]).status == "interrupted"


def test_a_run_that_never_wrote_a_word_can_be_taken_up(folder: RunFolder):
    folder.journal.unlink()
    taken_up(folder)
    assert not folder.journal.exists()


def test_it_is_said_once(folder: RunFolder):
    taken_up(folder)
    said = folder.journal.read_bytes()
    taken_up(folder)
    assert folder.journal.read_bytes() == said


def test_the_last_word_comes_behind_events_that_only_a_newer_mco_knows(folder: RunFolder):
    journal = folder.journal.read_bytes().removesuffix(TORN)
    folder.journal.write_bytes(journal + b'{"seq":4,"at":108.0,"kind":"StepMoved","step":1}\n')
    taken_up(folder)
    end = read_journal(folder.journal)[-1]
    assert (end.kind, end.seq) == ("RunFinished", 5)


def test_a_run_that_still_goes_on_gets_no_last_word(folder: RunFolder):
    before = folder.journal.read_bytes()
    with RunLock(folder.lock):
        taken_up(folder)
    assert folder.journal.read_bytes() == before


@pytest.mark.parametrize("content", [b"", TORN, b"no journal at all\n"])
def test_a_journal_without_an_event_is_left_as_it_is(folder: RunFolder, content: bytes):
    folder.journal.write_bytes(content)
    taken_up(folder)
    assert folder.journal.read_bytes() == content


def test_a_run_that_is_gone_cannot_be_claimed_and_stops_nobody(tmp_path: Path):
    assert take_up(tmp_path, RUN) is None
    assert list(tmp_path.iterdir()) == []


TAKER = """
import sys
from pathlib import Path
from engine.record.taking_up import take_up
lock = take_up(Path(sys.argv[1]), sys.argv[2])
print("taken", flush=True)
sys.stdin.readline()
"""


def test_who_comes_second_is_told_which_process_has_it_until_that_one_is_gone(folder: RunFolder):
    runs = folder.path.parent
    arguments = [sys.executable, "-c", TAKER, str(runs), RUN]
    pipe = subprocess.PIPE
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, cwd=root, env={**os.environ}) as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == b"taken\n"
            with pytest.raises(UsageError) as refused:
                take_up(runs, RUN)
        finally:
            first.kill()
    assert refused.value.what == f"the run {RUN} is being taken up again by process {first.pid}"
    assert refused.value.hint == "watch it with: mco watch"  # the run that takes it up, not this one
    taken_up(folder)
