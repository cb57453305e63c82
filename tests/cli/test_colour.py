"""Colour only where the user's environment leaves it to us."""

from __future__ import annotations

import pytest

from workflows.cli.colour import difference_line, is_welcome


@pytest.mark.parametrize(
    ("environment", "welcome"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_the_environment_decides(environment: dict[str, str], welcome: bool) -> None:
    assert is_welcome(environment) is welcome


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("+new", "\x1b[32m+new\x1b[0m"),
        ("-old", "\x1b[31m-old\x1b[0m"),
        ("@@ -1,1 +1,1 @@", "\x1b[36m@@ -1,1 +1,1 @@\x1b[0m"),
        (" same", " same"),
        ("", ""),
    ],
)
def test_a_difference_has_three_colours(line: str, shown: str) -> None:
    assert difference_line(line, coloured=True) == shown
    assert difference_line(line, coloured=False) == line
