"""Numbers as people read them."""

from __future__ import annotations

import pytest

from engine.step import Usage
from workflows.cli.figures import age, amount, count, duration, spending
from workflows.cli.table import aligned, wrapped


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m 00s"),
        (80, "1m 20s"),
        (3599.6, "1h 00m"),
        (7500, "2h 05m"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "just now"), (59, "just now"), (300, "5m ago"), (7201, "2h ago"), (200_000, "2d ago")],
)
def test_ages(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (4_100, "4.1k"),
        (120_000, "120k"),
        (999_499, "999k"),
        (999_500, "1M"),
        (1_250_000, "1.2M"),
    ],
)
def test_amounts(number: int | None, text: str) -> None:
    assert amount(number) == text


def test_what_nobody_reported_is_a_dash_and_what_some_did_not_is_a_least() -> None:
    assert spending(Usage(), 3) == "– tokens"
    assert spending(Usage(input_tokens=5, cost=0.5)) == "5 tokens · $0.50"
    assert spending(Usage(input_tokens=5), 1) == "≥5 tokens"


def test_one_step_and_two_steps() -> None:
    assert (count(1, "step"), count(1_200, "step")) == ("1 step", "1,200 steps")


def test_rows_are_aligned_by_cells_cleaned_and_cut_only_where_there_is_a_width() -> None:
    rows = [("a", "first"), ("日本", "x\x1b[2Jyz")]

    assert list(aligned(rows, None)) == ["a     first", "日本  xyz"]
    assert list(aligned(rows, 8)) == ["a     f…", "日本  x…"]


def test_what_is_too_long_for_a_line_goes_on_below_itself() -> None:
    rows = [("layers", "session, environment, folder, no-new-privileges"), ("x", "")]

    assert list(wrapped(rows, 36)) == [
        "layers  session, environment,",
        "        folder, no-new-privileges",
        "x",
    ]
    assert len(list(wrapped(rows, None))) == len(list(wrapped(rows, 20))) == 2
