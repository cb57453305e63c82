"""Slots that several processes share: real lock files, real processes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from engine.dispatch.slots import Slots
from engine.dispatch.traffic import Traffic
from engine.errors import Reason, StepFailed, StorageFailed

pytestmark = pytest.mark.anyio

HOLDER = """
import sys
from pathlib import Path
from engine.record.lock import RunLock
RunLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def slots(folder: Path, number: int) -> Slots:
    return Slots(folder, number, anyio.sleep)


async def test_there_are_as_many_as_were_asked_for(tmp_path: Path):
    pool = slots(tmp_path / "slots", 2)
    first, second = pool.free(), pool.free()
    assert first is not None
    assert second is not None
    assert pool.free() is None
    first.release()
    again = pool.free()
    assert again is not None
    for slot in (second, again):
        slot.release()


async def test_another_process_holds_its_slot_until_it_dies(tmp_path: Path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "0.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        pool = slots(tmp_path, 1)
        assert pool.free() is None
        other.kill()
        other.wait()
        slot = pool.free()
        assert slot is not None
        slot.release()


async def test_an_attempt_waits_for_a_slot_and_lets_other_steps_work_meanwhile(tmp_path: Path):
    taken = slots(tmp_path, 1).free()
    assert taken is not None
    happened: list[str] = []

    async def sleep(seconds: float) -> None:
        happened.append("waits")
        taken.release()

    @asynccontextmanager
    async def resting():
        happened.append("gives its place")
        yield
        happened.append("has it back")

    traffic = Traffic(tell=lambda *_: None, slots=Slots(tmp_path, 1, sleep))
    async with traffic.passage("a", 0.0, resting):
        happened.append("asks")
        assert slots(tmp_path, 1).free() is None
    free = slots(tmp_path, 1).free()
    assert free is not None
    free.release()
    assert happened == ["gives its place", "waits", "has it back", "asks"]


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="slots cannot be made"):
        slots(tmp_path / "file" / "slots", 1).free()


async def test_a_slot_is_free_again_even_when_nobody_can_be_told_of_the_failure(tmp_path: Path):
    def tell(provider: str, reason: Reason, seconds: float) -> None:
        raise StorageFailed("the journal cannot be written")

    @asynccontextmanager
    async def resting():
        yield

    pool = slots(tmp_path / "slots", 1)
    traffic = Traffic(tell=tell, limits={"x": 1}, slots=pool)
    with pytest.raises(StorageFailed):
        async with traffic.passage("x", 0.0, resting):
            raise StepFailed("rate_limited", "too many", retry_after=50.0)
    slot = pool.free()
    assert slot is not None
    slot.release()
