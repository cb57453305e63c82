"""Findings of several answers become one list: who found each, how widely, how grave and how sure."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dispatch.agreement import merge
from engine.severity import SEVERITIES, gravity

FAULT = {"category": "bug", "title": "Off by one", "file": "a.py", "line": 3, "severity": "medium"}


def merged(*answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return merge([(name, {"findings": answer}) for name, answer in zip("xyz", answers, strict=False)])[
        "findings"
    ]


def test_the_gravest_severity_and_the_highest_confidence_win() -> None:
    (finding,) = merged(
        [{**FAULT, "confidence": 0.4}],
        [{**FAULT, "severity": "critical"}],
        [{**FAULT, "severity": "low", "confidence": 0.9}],
    )
    assert (finding["severity"], finding["confidence"], finding["agreement"]) == ("critical", 0.9, 1.0)
    assert finding["detected_by"] == ["x", "y", "z"]


def test_a_severity_keeps_the_word_that_its_provider_used() -> None:
    (finding,) = merged([{**FAULT, "severity": "Minor"}], [{**FAULT, "severity": "Blocker"}])
    assert finding["severity"] == "Blocker"


@pytest.mark.parametrize("odd", [None, "high", 85, -1, float("nan")])
def test_a_confidence_that_nobody_named_stays_unknown(odd: Any) -> None:
    (finding,) = merged([FAULT], [{**FAULT, "confidence": odd}])
    assert "confidence" not in finding


def test_a_severity_that_is_none_does_not_win_and_is_not_invented() -> None:
    (finding,) = merged([{**FAULT, "severity": "scary"}], [FAULT])
    assert finding["severity"] == "medium"
    (finding,) = merged([{"title": "t"}], [{"title": "t", "severity": 7}])
    assert "severity" not in finding


def test_one_that_says_the_same_twice_has_found_it_once_and_the_graver_counts() -> None:
    (finding,) = merged([FAULT, {**FAULT, "severity": "high"}], [])
    assert (finding["detected_by"], finding["severity"], finding["agreement"]) == (["x"], "high", 0.5)


def test_places_in_evidence_tell_findings_apart() -> None:
    nested = [
        {"category": "bug", "title": "t", "evidence": {"file": file, "line": 1}} for file in ("a.py", "b.py")
    ]
    assert [each["detected_by"] for each in merged(nested, nested[1:])] == [["x", "y"], ["x"]]


def test_what_is_merged_is_not_changed_itself() -> None:
    first, second = {**FAULT}, {**FAULT, "severity": "high", "confidence": 1}
    merged([first], [second])
    assert first == FAULT


found = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.sampled_from(["a", "b"]),
            "line": st.integers(1, 2),
            "severity": st.sampled_from(SEVERITIES),
        },
        optional={"confidence": st.sampled_from([0, 0.5, 1])},
    ),
    max_size=4,
)


@given(st.tuples(found, found, found))
def test_what_is_found_does_not_depend_on_who_is_named_first(
    answers: tuple[list[dict[str, Any]], ...],
) -> None:
    def gist(order: tuple[int, ...]) -> set[Any]:
        named = [("xyz"[number], {"findings": answers[number]}) for number in order]
        return {
            (
                each["title"],
                each["line"],
                each["severity"],
                each.get("confidence"),
                each["agreement"],
                *sorted(each["detected_by"]),
            )
            for each in merge(named)["findings"]
        }

    everything = [each for answer in answers for each in answer]
    whole = gist((0, 1, 2))
    assert all(gist(order) == whole for order in permutations(range(3)))
    assert {(title, line) for title, line, *_ in whole} == {
        (each["title"], each["line"]) for each in everything
    }
    for title, line, severity, *_ in whole:
        same = [each for each in everything if (each["title"], each["line"]) == (title, line)]
        assert gravity(severity) == min(gravity(each["severity"]) for each in same)
