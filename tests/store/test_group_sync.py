"""Many who wait for the disk share a trip, and nobody is told before their own words are there."""

from __future__ import annotations

import threading

import anyio
import pytest

from engine.store.group_sync import GroupSync

pytestmark = pytest.mark.anyio


class Disk:
    """Takes what was written when a trip begins; a trip ends when it is let."""

    def __init__(self) -> None:
        self.written = 0
        self.safe: list[int] = []
        self.go = threading.Semaphore(0)

    def sync(self) -> None:
        taken = self.written
        self.go.acquire()
        self.safe.append(taken)


async def test_all_who_came_during_a_trip_share_the_next(anyio_backend_name: str):
    disk, told = Disk(), []
    group = GroupSync(disk.sync)

    async def write(number: int) -> None:
        disk.written = number
        await group.done()
        assert max(disk.safe) >= number
        told.append(number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write, 1)
        await anyio.wait_all_tasks_blocked()
        for number in range(2, 50):
            tasks.start_soon(write, number)
        await anyio.wait_all_tasks_blocked()
        assert told == []
        disk.go.release(2)
    assert disk.safe == [1, 49]
    assert sorted(told) == list(range(1, 50))


async def test_who_is_cancelled_hears_of_it_when_the_disk_has_it():
    disk = Disk()
    group = GroupSync(disk.sync)
    with anyio.CancelScope() as scope:
        scope.cancel()
        disk.go.release()
        await group.done()
    assert disk.safe == [0]


async def test_a_trip_that_fails_is_told_and_the_next_one_goes():
    failing = [True]

    def sync() -> None:
        if failing:
            failing.clear()
            raise OSError("no disk")

    group = GroupSync(sync)
    with pytest.raises(OSError, match="no disk"):
        await group.done()
    await group.done()
