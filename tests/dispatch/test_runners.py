"""Runners do every piece of work once, wait for more, and lose none to a cancellation."""

from __future__ import annotations

import anyio
import pytest
from anyio import TaskInfo
from anyio.abc import TaskGroup

from engine.dispatch.runners import IDLE, Runners

pytestmark = pytest.mark.anyio


class Work:
    """Each piece waits until it may end; who did it is written down, and how it ended."""

    def __init__(self) -> None:
        self.ends: dict[int, anyio.Event] = {}
        self.tasks: dict[int, TaskInfo] = {}
        self.done: list[int] = []
        self.cancelled: list[int] = []

    async def do(self, number: int) -> None:
        self.tasks[number] = anyio.get_current_task()
        end = self.ends.setdefault(number, anyio.Event())
        try:
            await end.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled.append(number)
            raise
        self.done.append(number)

    def let(self, *numbers: int) -> None:
        for number in numbers:
            self.ends.setdefault(number, anyio.Event()).set()


async def with_one_idle(tasks: TaskGroup, work: Work) -> Runners[int]:
    """Runners of which one has done piece 0 and waits for more."""
    runners = Runners(tasks, work.do)
    work.let(0)
    runners.start(0)
    await anyio.wait_all_tasks_blocked()
    return runners


async def test_work_that_comes_one_by_one_is_done_by_one_task():
    work = Work()
    async with anyio.create_task_group() as tasks:
        runners = Runners(tasks, work.do)
        for number in range(5):
            work.let(number)
            runners.start(number)
            await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert work.done == [0, 1, 2, 3, 4]
    assert len(set(work.tasks.values())) == 1


async def test_work_that_comes_together_is_done_side_by_side_and_few_wait_for_more():
    work, many = Work(), 3 * IDLE
    async with anyio.create_task_group() as tasks:
        runners = Runners(tasks, work.do)
        for number in range(many):
            runners.start(number)
        await anyio.wait_all_tasks_blocked()
        assert len(work.tasks) == many
        work.let(*range(many))
        await anyio.wait_all_tasks_blocked()
        for number in range(many, 2 * many):
            runners.start(number)
        await anyio.wait_all_tasks_blocked()
        work.let(*range(many, 2 * many))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert sorted(work.done) == list(range(2 * many))
    assert len(set(work.tasks.values())) == 2 * many - IDLE


async def test_work_given_in_the_moment_of_a_cancellation_hears_of_it():
    work = Work()
    async with anyio.create_task_group() as tasks:
        runners = await with_one_idle(tasks, work)
        tasks.cancel_scope.cancel()
        runners.start(1)  # to the one that waits, and that hears of both
        runners.start(2)  # to a new one
    assert work.done == [0]
    assert sorted(work.cancelled) == [1, 2]


async def test_after_a_cancellation_nobody_waits_who_is_gone():
    work = Work()
    async with anyio.create_task_group() as tasks:
        runners = await with_one_idle(tasks, work)
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.wait_all_tasks_blocked()
        runners.start(1)
    assert work.cancelled == [1]


async def test_what_work_raises_ends_the_group():
    async def fail(number: int) -> None:
        raise ValueError(f"piece {number}")

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            Runners(tasks, fail).start(7)
            await anyio.sleep_forever()

    with pytest.raises(ExceptionGroup) as caught:
        await run()
    assert [str(error) for error in caught.value.exceptions] == ["piece 7"]
