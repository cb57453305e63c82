"""Patches that touch the same lines, neighbouring lines, or only the same file."""

from __future__ import annotations

import pytest

from engine.worktree.conflicts import NEAR, find_conflicts
from engine.worktree.diff import FileDiff, Span


def edit(*spans: tuple[int, int], name: str = "f") -> FileDiff:
    return FileDiff(name, name, "100644", "100644", tuple(Span(*span) for span in spans))


NEW = FileDiff(None, "f", None, "100644")
GONE = FileDiff("f", None, "100644", None)
MOVED = FileDiff("f", "g", "100644", "100644")
BINARY = edit()._replace(binary=True)
RUNNABLE = FileDiff("f", "f", "100644", "100755")


@pytest.mark.parametrize(
    ("one", "other", "severity"),
    [
        (edit((4, 6)), edit((6, 9)), "same_line"),
        (edit((4, 3)), edit((4, 3)), "same_line"),
        (edit((4, 3)), edit((4, 4)), "same_line"),
        (edit((4, 4)), edit((5, 4)), "adjacent_line"),
        (edit((4, 4)), edit((5, 5)), "adjacent_line"),
        (edit((4, 4)), edit((4 + NEAR, 4 + NEAR)), "adjacent_line"),
        (edit((4, 4)), edit((5 + NEAR, 5 + NEAR)), "same_file"),
        (edit((1, 1), (90, 90)), edit((50, 50), (90, 91)), "same_line"),
        (edit((4, 4)), RUNNABLE, "same_file"),
        (NEW, NEW, "same_line"),
        (GONE, edit((4, 4)), "same_line"),
        (MOVED, edit((4, 4)), "same_line"),
        (MOVED, GONE, "same_line"),
        (BINARY, BINARY, "same_line"),
        (NEW, NEW._replace(new="f/below"), "same_line"),
    ],
)
def test_two_changes_of_a_file_collide_as_badly_as(one: FileDiff, other: FileDiff, severity: str) -> None:
    for first, second in ((one, other), (other, one)):
        found = find_conflicts([[first], [second]])
        assert [(conflict.first, conflict.second) for conflict in found[:1]] == [(0, 1)]
        assert found[0].severity == severity


def test_changes_of_different_files_do_not_collide() -> None:
    assert find_conflicts([[edit((1, 1), name="a")], [edit((1, 1), name="b")], [MOVED]]) == []


def test_a_file_collides_once_for_two_patches_with_its_worst() -> None:
    found = find_conflicts([[edit((4, 4), (20, 20))], [edit((6, 6), (20, 20))]])

    assert [(conflict.path, conflict.severity, conflict.line) for conflict in found] == [
        ("f", "same_line", 20)
    ]


def test_the_worst_comes_first_whoever_it_is_between() -> None:
    found = find_conflicts([[edit((1, 1))], [edit((30, 30))], [edit((31, 31))], [edit((1, 1))]])

    assert [(c.severity, c.first, c.second) for c in found[:2]] == [
        ("same_line", 0, 3),
        ("adjacent_line", 1, 2),
    ]
    assert {c.severity for c in found[2:]} == {"same_file"}
