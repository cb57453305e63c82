"""mco is killed at random moments of a run; what takes it up again loses nothing and pays nothing twice."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.crash.harness import (
    STEPS,
    Bench,
    asked_unseen,
    check_journal,
    finished_twice,
    kill_and_resume,
    result_of_newest,
    undisturbed,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")

CHAINS, KILLS = 10, 20


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> object:
    bench = Bench(tmp_path_factory.mktemp("undisturbed"))
    result = undisturbed(bench)
    assert sum(bench.asked().values()) == STEPS + 4  # four of them ask two providers
    return result


@pytest.mark.parametrize("seed", range(CHAINS))
def test_a_run_that_was_killed_again_and_again_ends_as_if_nobody_had(
    tmp_path: Path, expected: object, seed: int
):
    bench = Bench(tmp_path)
    died = kill_and_resume(bench, KILLS, random.Random(seed))
    assert died == KILLS
    assert result_of_newest(bench) == expected
    journals = bench.journals()
    for events in journals:
        check_journal(events)
    assert finished_twice(journals) == []
    assert not asked_unseen(bench)
