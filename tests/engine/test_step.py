"""Usage: numbers that add up, and unknown ones that stay unknown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.step import Usage

usages = st.builds(
    Usage,
    input_tokens=st.none() | st.integers(0, 10**9),
    output_tokens=st.none() | st.integers(0, 10**9),
    cost=st.none() | st.integers(0, 1000).map(float),
)


@given(usages, usages, usages)
def test_usage_adds_up_in_any_grouping_and_unknown_stays_unknown(a: Usage, b: Usage, c: Usage):
    assert (a + b) + c == a + (b + c)
    assert a + Usage() == a
    assert (Usage() + Usage()).tokens is None
