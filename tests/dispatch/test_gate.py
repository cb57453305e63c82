"""One provider's gate: who waits, who goes elsewhere, and how many pass at once. Time is ours."""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from engine.dispatch.breaker import UNKNOWN_RESET, Breaker
from engine.dispatch.gate import StillPaused
from engine.dispatch.pace import Pace
from engine.dispatch.traffic import Traffic
from engine.errors import StepFailed

pytestmark = pytest.mark.anyio


class Clock:
    """A time that goes on only when everybody waits for it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        woken = anyio.Event()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, woken))
        await woken.wait()

    async def go_on(self) -> bool:
        """Let everybody come to rest, then wake who sleeps the shortest. Whether there was one."""
        await anyio.wait_all_tasks_blocked()
        if not self._sleepers:
            return False
        self.now = max(self.now, self._sleepers[0][0])
        while self._sleepers and self._sleepers[0][0] <= self.now:
            heapq.heappop(self._sleepers)[2].set()
        return True


class Stage:
    """A provider `a` whose attempts take a second each, and do what `outcome` says at their end."""

    def __init__(self, **limits: int) -> None:
        self.clock = Clock()
        self.told: list[tuple[str, str, float]] = []
        self.running = self.most = self.rested = 0
        self.began: list[tuple[str, float]] = []
        self.traffic = Traffic(
            tell=lambda *pause: self.told.append(pause),
            limits=limits,
            now=lambda: self.clock.now,
            sleep=self.clock.sleep,
        )

    async def attempt(
        self,
        name: str = "?",
        *,
        provider: str = "a",
        patience: float = 600.0,
        outcome: Callable[[], None] = lambda: None,
    ) -> None:
        async with self.traffic.passage(provider, patience, self.resting):
            self.began.append((name, self.clock.now - 1000.0))
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                await self.clock.sleep(1.0)
                outcome()
            finally:
                self.running -= 1

    @asynccontextmanager
    async def resting(self) -> AsyncGenerator[None]:
        self.rested += 1
        yield

    async def to_the_end(self) -> None:
        while await self.clock.go_on():
            pass


def fail(reason: str, retry_after: float | None = None) -> Callable[[], None]:
    def outcome() -> None:
        raise StepFailed(reason, "said the provider", retry_after=retry_after)  # pyright: ignore[reportArgumentType]

    return outcome


async def failing(stage: Stage, reason: str, retry_after: float | None = None) -> None:
    with pytest.raises(StepFailed):
        await stage.attempt("fails", outcome=fail(reason, retry_after))


async def exhausted(stage: Stage, retry_after: float | None) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(failing, stage, "quota", retry_after)
        await stage.to_the_end()


async def test_while_nothing_is_wrong_nobody_waits():
    stage = Stage()
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(stage.attempt)
        await stage.to_the_end()
    assert (stage.most, stage.rested, stage.told) == (50, 0, [])


async def test_a_limit_holds_and_they_pass_in_the_order_they_came():
    stage = Stage(a=2)
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(stage.attempt, str(number))
        await stage.to_the_end()
    assert stage.most == 2
    assert [name for name, _ in stage.began] == ["0", "1", "2", "3", "4"]
    assert stage.rested == 3


async def test_who_is_cancelled_in_the_line_holds_up_nobody():
    stage = Stage(a=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stage.attempt, "first")
        await anyio.wait_all_tasks_blocked()
        scope = anyio.CancelScope()

        async def waits() -> None:
            with scope:
                await stage.attempt("cancelled")

        tasks.start_soon(waits)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(stage.attempt, "last")
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await stage.to_the_end()
    assert [name for name, _ in stage.began] == ["first", "last"]


async def test_a_quota_pauses_its_provider_until_the_reset_and_no_other():
    stage = Stage()
    await exhausted(stage, 60.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stage.attempt, "patient")
        tasks.start_soon(lambda: stage.attempt("elsewhere", provider="b"))
        await stage.to_the_end()
    assert stage.told == [("a", "quota", 60.0)]
    assert stage.began == [("fails", 0.0), ("elsewhere", 1.0), ("patient", 61.0)]


async def test_who_cannot_wait_that_long_is_told_at_once_and_why():
    stage = Stage()
    await exhausted(stage, 60.0)
    with pytest.raises(StillPaused, match="a takes no steps for another 60 s: said the provider") as caught:
        await stage.attempt(patience=59.0)
    assert (caught.value.reason, caught.value.provider, caught.value.retry_after) == ("quota", "a", 60.0)
    assert "patience" in str(caught.value.hint)


async def test_who_waits_in_the_line_when_the_pause_begins_may_still_go_elsewhere():
    stage = Stage(a=1)
    gone: list[float] = []

    async def impatient() -> None:
        with pytest.raises(StillPaused):
            await stage.attempt(patience=10.0)
        gone.append(stage.clock.now - 1000.0)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(failing, stage, "quota", 300.0)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(stage.attempt, "patient")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(impatient)
        await stage.to_the_end()
    assert gone == [1.0]
    assert stage.began[-1] == ("patient", 301.0)


async def test_a_quota_without_a_reset_is_not_waited_for():
    stage = Stage()
    await exhausted(stage, None)
    with pytest.raises(StillPaused):
        await stage.attempt(patience=600.0)
    assert stage.told == [("a", "quota", UNKNOWN_RESET)]


async def test_after_a_pause_nothing_storms():
    stage = Stage()
    await exhausted(stage, 60.0)
    stage.most = 0
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(stage.attempt, str(number))
        await stage.to_the_end()
    at = [began for _, began in stage.began[1:]]
    assert [at.count(61.0 + second) for second in range(5)] == [1, 2, 2, 3, 4]
    assert len(at) == 20


async def test_a_provider_still_without_quota_gets_one_attempt_a_pause():
    stage = Stage()
    await exhausted(stage, 60.0)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(failing, stage, "quota", 60.0)
        await stage.to_the_end()
    assert [began for _, began in stage.began] == [0.0, 61.0, 122.0, 183.0]
    assert stage.told == [("a", "quota", 60.0)] * 4


async def test_too_many_at_once_halves_them_once_for_all_that_ran_together():
    stage = Stage()
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(failing, stage, "rate_limited", None)
        await stage.to_the_end()
    stage.most = 0
    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(stage.attempt, str(number))
        tasks.start_soon(stage.attempt, "5")
        await anyio.wait_all_tasks_blocked()
        assert stage.running == 4
        await stage.to_the_end()
    assert stage.told == []


async def test_a_wait_that_the_provider_asks_for_holds_for_all_its_attempts():
    stage = Stage()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(failing, stage, "rate_limited", 20.0)
        await stage.to_the_end()
        tasks.start_soon(stage.attempt, "next")
        await stage.to_the_end()
    assert stage.began[-1] == ("next", 21.0)
    assert stage.told == [("a", "rate_limited", 20.0)]


async def test_other_failures_concern_nobody_else():
    stage = Stage()
    async with anyio.create_task_group() as tasks:
        for reason in ("network", "auth", "crashed", "timeout"):
            tasks.start_soon(failing, stage, reason, 30.0)
        await stage.to_the_end()
        for _ in range(8):
            tasks.start_soon(stage.attempt)
        await anyio.wait_all_tasks_blocked()
        assert stage.running == 8
        await stage.to_the_end()


def test_a_pace_grows_by_one_for_every_round_of_successes_and_never_beyond_its_most():
    pace = Pace(4)
    pace.running = 4
    pace.slow(began=0.0, now=1.0)
    assert pace.limit == 2
    pace.slow(began=0.5, now=2.0)
    assert pace.limit == 2
    pace.hasten(began=0.5)
    assert pace.limit == 2
    for _ in range(2):
        pace.hasten(began=3.0)
    assert 2.5 < pace.limit <= 3
    for _ in range(100):
        pace.hasten(began=3.0)
    assert pace.limit == 4


def test_one_attempt_is_always_allowed():
    pace = Pace()
    pace.running = 1
    for moment in range(5):
        pace.slow(began=moment + 0.5, now=moment + 1.0)
    pace.running = 0
    assert pace.has_room


def test_a_breaker_knows_no_news_in_what_it_knows():
    breaker = Breaker()
    assert breaker.open("quota", 60.0, now=0.0, why="first")
    assert not breaker.open("quota", 59.5, now=0.9, why="again")
    assert not breaker.open("rate_limited", 5.0, now=10.0, why="shorter")
    assert breaker.open("quota", 600.0, now=10.0, why="longer")
    assert (breaker.left(10.0), breaker.left(610.0), breaker.why) == (600.0, 0.0, "longer")
