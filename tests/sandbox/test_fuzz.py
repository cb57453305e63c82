"""Random scripts against wall 1: a short run of what `python -m tests.sandbox.fuzz` does for as long as you like."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.fuzz import Keeper, written
from tests.sandbox.grammar import Grammar

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the pen needs the limits of POSIX")


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.close()


@settings(
    derandomize=True,
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random=st.randoms(use_true_random=False), poisoned=st.sampled_from([0, 2]))
def test_no_random_script_comes_by_what_it_was_not_given(
    keeper: Keeper, random: Random, poisoned: int
) -> None:
    assert keeper.feed(Grammar(random, poisoned).script())["found"] == []


def test_random_scripts_are_refused_and_run(keeper: Keeper) -> None:
    judged = [keeper.feed(written(seed)) for seed in range(100)]
    verdicts = [each["verdict"] for each in judged]
    assert [each["found"] for each in judged if each["found"]] == []
    assert verdicts.count("refused") > 10
    assert verdicts.count("ran") > 10


@pytest.mark.parametrize("hole", ["attributes", "facades", "names"])
def test_a_hole_in_the_wall_is_noticed(hole: str) -> None:
    keeper = Keeper(hole)
    try:
        assert any(keeper.feed(written(seed))["found"] for seed in range(300))
    finally:
        keeper.close()
