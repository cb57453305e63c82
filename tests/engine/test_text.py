"""Text from outside never reaches a terminal or a path as it came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import clean_block, clean_line, clean_output, reveal


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("ünï — “quoted” 日本", "ünï — “quoted” 日本"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;cm0=\x1b\\text", "text"),
        ("\x9b2Jtext", "text"),
        ("a\r\nb\tc", "a b c"),
        ("re\u200bview", "re view"),
        ("safe\u202eevil", "safe evil"),
        ("nul\x00", "nul"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_line_is_cleaned(text: str, clean: str):
    assert clean_line(text) == clean


@given(st.text())
def test_whatever_comes_in_a_printable_line_comes_out(text: str):
    assert clean_line(text).isprintable()
    assert len(clean_line(text, 20)) <= 20


@given(st.text())
def test_a_block_has_only_printable_lines(text: str):
    assert all(line.isprintable() for line in clean_block(text).split("\n"))


def test_a_block_keeps_its_indentation():
    assert clean_block("a\n\tb\n  c\x1b[1m") == "a\n    b\n  c"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\tünï 日本", "plain    ünï 日本"),
        ("\x1b[31mred", "<U+001B>[31mred"),
        ("safe\u202eevil", "safe<U+202E>evil"),
        ("a\u200bb\xa0c\n", "a<U+200B>b<U+00A0>c<U+000A>"),
        ("blank\u3164name", "blank<U+3164>name"),
        ("\U000e0041\ud800", "<U+E0041><U+D800>"),
    ],
)
def test_what_a_terminal_obeys_or_hides_is_written_out(text: str, shown: str):
    assert reveal(text) == shown


@given(st.text())
def test_a_revealed_line_is_printable_and_loses_nothing(text: str):
    assert reveal(text).isprintable()
    assert len(reveal(text)) >= len(text)


def test_output_for_a_pipe_keeps_lines_and_tabs_and_steers_no_terminal():
    assert clean_output("a\tb\r\n\n  c\n") == "a\tb\n\n  c\n"
    cleaned = clean_output("x\x1b[31mred\x1b]0;t\x07 \u202e y")
    assert "\x1b" not in cleaned
    assert "\x07" not in cleaned
    assert "\u202e" not in cleaned
    assert clean_output("né 🎉 {}") == "né 🎉 {}"
