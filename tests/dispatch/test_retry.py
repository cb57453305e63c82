"""When an attempt is repeated: a pure rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dispatch.retry import HEALS, HEALS_ONCE, LONGEST_DELAY, LONGEST_PATIENCE, delay_before_retry
from engine.errors import REASONS


@pytest.mark.parametrize("reason", sorted(REASONS - HEALS - HEALS_ONCE))
def test_what_cannot_heal_is_not_repeated(reason):
    assert delay_before_retry(reason, 1, 5, None, 0.5) is None


@pytest.mark.parametrize("reason", sorted(HEALS))
def test_what_can_heal_is_repeated_as_often_as_allowed(reason):
    assert [delay_before_retry(reason, n, 2, None, 0.5) is None for n in (1, 2, 3)] == [False, False, True]
    assert delay_before_retry(reason, 1, 0, None, 0.5) is None


def test_a_crash_is_repeated_once():
    assert [delay_before_retry("crashed", n, 5, None, 0.5) is None for n in (1, 2)] == [False, True]


def test_a_bad_answer_is_asked_for_again_at_once():
    assert delay_before_retry("bad_output", 1, 2, None, 1.0) == 0


def test_retry_after_is_honoured_within_patience():
    assert delay_before_retry("rate_limited", 1, 2, 20.0, 0.25) == 20.25
    assert delay_before_retry("rate_limited", 1, 2, LONGEST_PATIENCE + 1, 0.25) is None


def test_a_quota_is_waited_for_once_when_its_reset_is_known_and_within_patience():
    assert delay_before_retry("quota", 1, 2, 30.0, 0.5, patience=30.0) == 30.5
    assert delay_before_retry("quota", 2, 5, 30.0, 0.5) is None
    assert delay_before_retry("quota", 1, 2, 31.0, 0.5, patience=30.0) is None
    assert delay_before_retry("quota", 1, 2, None, 0.5) is None
    assert delay_before_retry("quota", 1, 0, 30.0, 0.5) is None


@given(st.integers(1, 60), st.floats(0, 1))
def test_delays_grow_and_stay_bounded(attempt: int, jitter: float):
    delay = delay_before_retry("network", attempt, 100, None, jitter)
    longer = delay_before_retry("network", attempt + 1, 100, None, jitter)
    assert delay is not None
    assert longer is not None
    assert 0.5 <= delay <= LONGEST_DELAY
    assert longer >= delay
