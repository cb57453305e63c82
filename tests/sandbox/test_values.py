"""Which values are JSON, and how a value that is not is told."""

from __future__ import annotations

import math
from collections import Counter, deque
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sandbox.values import NotJSON, json_value

SIZE = 10_000
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=5)
    ),
)


@given(JSON)
def test_json_comes_out_as_it_went_in(value: Any) -> None:
    assert json_value(value, "it is", SIZE) == value


def test_tuples_become_lists_and_counters_become_dicts() -> None:
    assert json_value((1, (2,)), "it is", SIZE) == [1, [2]]
    copied = json_value(Counter("aab"), "it is", SIZE)
    assert copied == {"a": 2, "b": 1}
    assert type(copied) is dict


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: Any = reduce(lambda inner, _: [inner], range(200), 1)
LAUGHS: Any = reduce(lambda inner, _: [inner, inner], range(60), ["lol"])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"items": [1, 2, {3}]}, "it is a set at $.items[2]; hint: use a list"),
        ({"a": b"x"}, "it is a bytes at $.a"),
        ([deque()], "it is a deque at $[0]; hint: use list(…)"),
        ({1: "a", "1": "b"}, "it is the key 1 that is no text at $; hint: use str(key)"),
        ([math.nan], "not finite at $[0]"),
        (-math.inf, "not finite at $"),
        (2**63, "more than 64 bits"),
        ("\ud800", "half a surrogate pair"),
        ({"\ud800": 1}, "half a surrogate pair"),
        (CYCLE, "contains itself at $[0]"),
        (DEEP, "nested more than 100 deep"),
        (LAUGHS, "more than 9 KiB"),
        ("x" * 20_000, "more than 9 KiB"),
        (print, "it is a builtin_function_or_method at $"),
    ],
)
def test_what_is_not_json_is_told_with_its_path(value: Any, words: str) -> None:
    with pytest.raises(NotJSON) as caught:
        json_value(value, "it is", SIZE)
    assert words in str(caught.value)


def test_the_same_value_twice_is_no_cycle() -> None:
    shared = [1]
    assert json_value([shared, shared], "it is", SIZE) == [[1], [1]]
