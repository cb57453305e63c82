"""How one text became another: exact where that is cheap, and bounded where it is not."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.why import text_change as module
from workflows.why.text_change import MOST_COMPARED, MOST_SHOWN, text_change

TEXTS = st.lists(st.sampled_from("abcd"), max_size=30).map("\n".join)


@given(TEXTS, TEXTS)
def test_removed_and_added_lines_lead_from_one_text_to_the_other(old: str, new: str) -> None:
    change = text_change(old, new)
    marked = [line for line in change.lines if line[0] != "@"]

    assert sum(line[0] == "-" for line in marked) == change.removed
    assert sum(line[0] == "+" for line in marked) == change.added
    assert change.added - change.removed == len(new.splitlines()) - len(old.splitlines())
    assert _shown(marked, "+") == _around(change.lines, new, plus=True)
    assert _shown(marked, "-") == _around(change.lines, old, plus=False)


def _shown(lines: list[str], sign: str) -> list[str]:
    return [line[1:] for line in lines if line[0] in (sign, " ")]


def _around(lines: tuple[str, ...], text: str, *, plus: bool) -> list[str]:
    """The lines of a text that the heads of the hunks say are shown."""
    found: list[str] = []
    for line in lines:
        if line[0] == "@":
            start, length = line.split()[2 if plus else 1][1:].split(",")
            found += text.splitlines()[int(start) - 1 : int(start) - 1 + int(length)]
    return found


def test_places_far_apart_have_their_own_heads() -> None:
    old = [str(number) for number in range(40)]
    new = [*old[:5], "x", *old[6:30], *old[31:]]

    assert (
        list(text_change("\n".join(old), "\n".join(new)).lines)
        == list(difflib.unified_diff(old, new, n=3, lineterm=""))[2:]
    )


def test_of_a_long_line_the_difference_is_shown() -> None:
    change = text_change("x" * 200_000 + "old" + "y" * 200_000, "x" * 200_000 + "new" + "y" * 200_000)
    _, removed, added = change.lines

    assert "xxoldyy" in removed
    assert "xxnewyy" in added
    assert max(map(len, change.lines)) < 500


def test_two_long_texts_with_nothing_in_common_are_not_matched_line_by_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SequenceMatcher", None)
    lines = MOST_COMPARED + 1
    change = text_change("\n".join(["old"] * lines), "\n".join(["new"] * lines))

    assert (change.added, change.removed) == (lines, lines)
    assert len(change.lines) == MOST_SHOWN
    assert change.left_out == f"{2 * lines - MOST_SHOWN + 1:,} more changed lines"


def test_ends_of_lines_are_a_change_without_lines() -> None:
    assert text_change("a\nb", "a\r\nb\n") == ((), 0, 0, "only the ends of lines differ")
