"""The wire: what is encoded comes out whole, however it is cut on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sandbox.frames import FrameTooLarge, Splitter, encode


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=50), max_size=3)), st.integers(1, 40))
def test_frames_survive_any_cutting(frames: list[dict[str, Any]], piece: int) -> None:
    stream = b"".join(map(encode, frames))
    splitter = Splitter(10_000)
    came = [
        json.loads(bytes(body))
        for start in range(0, len(stream), piece)
        for body in splitter.feed(stream[start : start + piece])
    ]
    assert came == frames


def test_a_frame_beyond_the_limit_is_refused_by_its_length_alone() -> None:
    splitter = Splitter(100)
    with pytest.raises(FrameTooLarge):
        list(splitter.feed(b"\x7f\xff\xff\xff"))


def test_a_frame_at_the_limit_is_taken() -> None:
    body = b"x" * 100
    assert list(Splitter(100).feed((100).to_bytes(4, "big") + body)) == [body]


def test_numbers_that_json_lacks_are_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode({"value": float("nan")})
