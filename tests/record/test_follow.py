"""Following a run that a real process writes, ends, or is killed in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.record.events import Event, Logged, RunFinished, RunStarted
from engine.record.folder import RunFolder
from engine.record.follow import follow
from engine.record.journal import Journal, read_journal
from engine.record.view import fold

pytestmark = pytest.mark.anyio

# Writes one line for each line that it is told, so that the test decides what happens when.
WRITER = """
import sys
from pathlib import Path
from engine.record.events import Logged, RunFinished, RunStarted
from engine.record.folder import RunFolder
from engine.record.journal import Journal
from engine.record.lock import RunLock
from engine.record.stream import Stream

folder = RunFolder(Path(sys.argv[1]))
lock = RunLock(folder.lock)
lock.acquire()
stream = Stream(Journal(folder.journal), lambda: 1.0)
stream.emit(RunStarted, run_id=folder.run_id, workflow="w")
print("started", flush=True)
for line in sys.stdin:
    if line.strip() == "end":
        stream.emit(RunFinished, status="done", seconds=1.0)
        break
    stream.emit(Logged, message=line.strip())
"""


@contextmanager
def writer(folder: RunFolder) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "started\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _say(process: subprocess.Popen[str], *lines: str) -> None:
    assert process.stdin is not None
    for line in lines:
        process.stdin.write(line + "\n")
    process.stdin.flush()


def _names(events: list[Event]) -> list[str]:
    return [event.message if isinstance(event, Logged) else event.kind for event in events]


async def test_what_another_process_writes_is_seen_until_the_run_ends(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    seen: list[Event] = []
    with writer(folder) as process:
        async for event in follow(folder):
            seen.append(event)
            if isinstance(event, RunStarted):
                _say(process, "one", "two")
            if isinstance(event, Logged) and event.message == "two":
                _say(process, "three", "end")

    assert _names(seen) == ["RunStarted", "one", "two", "three", "RunFinished"]
    assert fold(seen) == fold(read_journal(folder.journal))


async def test_a_killed_driver_ends_it_without_a_finish(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    seen: list[Event] = []
    with writer(folder) as process:
        async for event in follow(folder):
            seen.append(event)
            if isinstance(event, RunStarted):
                _say(process, "one")
            if isinstance(event, Logged):
                process.kill()

    view = fold(seen)
    view.mark_interrupted()
    assert _names(seen) == ["RunStarted", "one"]
    assert view.status == "interrupted"


async def test_a_finished_run_is_replayed(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    journal = Journal(folder.journal)
    journal.write(RunStarted(seq=1, at=1.0, run_id="r", workflow="w"))
    journal.write(RunFinished(seq=2, at=2.0, status="failed", seconds=1.0))
    journal.close()

    assert [event.kind async for event in follow(folder)] == ["RunStarted", "RunFinished"]


async def test_a_run_that_died_long_ago_is_replayed_as_far_as_it_went(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    journal = Journal(folder.journal)
    journal.write(RunStarted(seq=1, at=1.0, run_id="r", workflow="w"))
    journal.close()
    with folder.journal.open("ab") as file:
        file.write(b'{"seq":2,"at":2.0,"kind":"Log')  # torn by the crash

    assert [event.kind async for event in follow(folder)] == ["RunStarted"]


async def test_one_may_stop_following_at_any_time(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    with writer(folder) as process:
        async with aclosing(follow(folder)) as events:
            async for event in events:
                if isinstance(event, RunStarted):
                    _say(process, "one")
                if isinstance(event, Logged):
                    break

        assert process.poll() is None


async def test_a_run_without_a_journal_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed) as caught:
        async for _ in follow(RunFolder(tmp_path)):
            pass
    assert caught.value.where == str(tmp_path / "journal.jsonl")
