"""The wall clock of a script's thinking, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from engine.sandbox.stopwatch import Stopwatch


class Timer:
    """A timer that can be cancelled."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """An event loop's clock and timers, as far as a stopwatch needs them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], Any]) -> Timer:
        self.timers.append(Timer(self.now + delay, call))
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= end and not timer.cancelled]:
            timer = min(due, key=lambda each: each.at)
            self.timers.remove(timer)
            self.now = timer.at
            timer.call()
        self.now = end


def started() -> tuple[Clock, Stopwatch, list[float]]:
    clock, expired = Clock(), list[float]()
    watch = Stopwatch(cast("asyncio.AbstractEventLoop", clock), 10.0, lambda: expired.append(clock.now))
    watch.start()
    return clock, watch, expired


def test_it_expires_after_one_stretch_of_thinking() -> None:
    clock, _, expired = started()
    clock.advance(9.9)
    assert expired == []
    clock.advance(0.1)
    assert expired == [110.0]


def test_waiting_for_us_does_not_count() -> None:
    clock, watch, expired = started()
    clock.advance(8)
    watch.pause(all_seen=True)
    clock.advance(3_600)
    watch.resume()
    clock.advance(9)
    assert expired == []
    clock.advance(1)
    assert expired == [100.0 + 8 + 3_600 + 10]


def test_a_script_that_waited_but_has_more_to_read_starts_a_new_stretch() -> None:
    clock, watch, expired = started()
    clock.advance(9)
    watch.pause(all_seen=False)
    clock.advance(9)
    assert expired == []
    clock.advance(1)
    assert expired == [119.0]


def test_news_while_it_thinks_gives_it_no_new_time() -> None:
    clock, watch, expired = started()
    clock.advance(9)
    watch.resume()
    clock.advance(1)
    assert expired == [110.0]


def test_a_stopped_one_never_expires() -> None:
    clock, watch, expired = started()
    watch.stop()
    clock.advance(100)
    assert expired == []
