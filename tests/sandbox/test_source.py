"""The bytes of a script file, before anything looks at them."""

from __future__ import annotations

import pytest

from engine.errors import ScriptRefused
from engine.sandbox.source import decode_source


def test_a_byte_order_mark_is_dropped() -> None:
    assert decode_source("x", b"\xef\xbb\xbfmeta = 1") == "meta = 1"


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        (b"a\nb\xff", 2, 2, "not UTF-8: byte 0xff at offset 3"),
        (b"\xed\xa0\x80", 1, 1, "not UTF-8"),
        ("x".encode("utf-16"), 1, 1, "not UTF-8"),
        (b"a = 1\n\0", 2, 1, "NUL byte at offset 6"),
        (b"x" * 2_000_000, 1, 1, "2,000,000 bytes"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(source: bytes, line: int, column: int, words: str) -> None:
    with pytest.raises(ScriptRefused) as caught:
        decode_source("x", source)
    problem = caught.value.problems[0]
    assert (problem.line, problem.column) == (line, column)
    assert words in problem.message
