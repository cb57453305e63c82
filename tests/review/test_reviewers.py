"""Who is asked, as people write it."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from workflows.review.reviewers import Reviewer, read_reviewers, read_timeouts, with_timeouts


def test_names_come_in_lists_and_in_repeated_options_each_once() -> None:
    assert read_reviewers(["claude, codex:gpt-5,", "claude"]) == (
        Reviewer("claude"),
        Reviewer("codex", "gpt-5"),
    )


@pytest.mark.parametrize("text", ["a b", "-x", "../x", ":model", "claude:a b", "\x1b[31m", "cláude"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no provider"):
        read_reviewers([text])


def test_there_is_an_end_to_how_many_are_asked() -> None:
    with pytest.raises(UsageError, match="17 providers are named"):
        read_reviewers([",".join(f"p{number}" for number in range(17))])


def test_a_timeout_is_for_a_provider_or_for_one_model_of_it() -> None:
    reviewers = read_reviewers(["claude:opus,claude:haiku,codex"])
    timed = with_timeouts(reviewers, read_timeouts(["claude=300, claude:haiku=5"]))
    assert [one.stall_timeout for one in timed] == [300.0, 5.0, None]


@pytest.mark.parametrize(
    "text", ["claude", "claude=", "=3", "claude=0", "claude=-1", "claude=nan", "claude=1e9"]
)
def test_what_is_no_timeout_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no timeout"):
        read_timeouts([text])
