"""The patches in a run's folder: written once, never over one another, and decided about beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.record.folder import RunFolder
from engine.record.patches import PatchFolder, facts_of, lines_of
from engine.step import Patch, PatchedFile

FILES = (PatchedFile("a", "changed", 2, 1), PatchedFile("b", "added"), PatchedFile("c", "renamed", 0, 0, "d"))
PATCH = Patch(b"\xff\n", "0" * 40, "fake", FILES)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, "20261121-110457-3f9a")


def test_what_was_kept_is_read_back(folder: RunFolder) -> None:
    patches = PatchFolder(folder)
    path = patches.keep(PATCH, facts_of(PATCH, step=3, label="My Step"))
    (kept,) = patches.all()

    assert (kept.path, path.read_bytes(), kept.state) == (path, PATCH.data, "offered")
    assert (tuple(kept.facts.files), lines_of(kept.facts.files)) == (FILES, (2, 1))


def test_two_of_one_name_stand_side_by_side(folder: RunFolder) -> None:
    patches = PatchFolder(folder)
    for _ in range(2):
        patches.keep(PATCH, facts_of(PATCH, step=3, label="same"))

    assert [kept.path.name for kept in patches.all()] == ["3-same.fake-1.patch", "3-same.fake-1-2.patch"]


def test_they_come_in_the_order_of_the_steps_unfinished_ones_last(folder: RunFolder) -> None:
    patches = PatchFolder(folder)
    for step, ended in ((10, "answered"), (9, "crashed"), (9, "answered")):
        patches.keep(PATCH, facts_of(PATCH, step=step, label="x", ended=ended))

    found = [(kept.facts.step, kept.state) for kept in patches.all()]
    assert found == [(9, "offered"), (9, "unfinished"), (10, "offered")]


def test_a_decision_is_remembered_and_leaves_the_patch_alone(folder: RunFolder) -> None:
    patches = PatchFolder(folder)
    path = patches.keep(PATCH, facts_of(PATCH, step=1, label="x"))
    patches.decide(patches.all()[0], "dropped")

    assert [kept.state for kept in PatchFolder(folder).all()] == ["dropped"]
    assert path.exists()


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"step": "many"}'])
def test_facts_that_cannot_be_read_leave_their_patch_out(folder: RunFolder, damage: str) -> None:
    patches = PatchFolder(folder)
    path = patches.keep(PATCH, facts_of(PATCH, step=1, label="x"))
    path.with_suffix(".json").write_text(damage)
    folder.patch_decisions.write_text(damage)

    assert patches.all() == []


def test_a_run_without_patches_has_none(folder: RunFolder) -> None:
    assert PatchFolder(folder).all() == []
