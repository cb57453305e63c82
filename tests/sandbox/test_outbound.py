"""Frames to a worker: quick, and as strict as the frames that come from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sandbox.frames import Splitter
from engine.sandbox.outbound import encode_quickly

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


def read(data: bytes) -> Any:
    (body,) = Splitter(1 << 30).feed(data)
    return json.loads(bytes(body))


@given(VALUES)
def test_what_is_sent_is_what_is_read(value: Any) -> None:
    assert read(encode_quickly({"kind": "reply", "value": value})) == {"kind": "reply", "value": value}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "a\ud800b", "\x00\x1b"])
def test_texts_that_look_odd_arrive_whole(text: str) -> None:
    assert read(encode_quickly({"value": text})) == {"value": text}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}, object()])
def test_what_is_not_json_is_not_sent(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode_quickly({"value": value})
