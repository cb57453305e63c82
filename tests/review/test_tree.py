"""The artifact tree on disk: written whole or not at all, and never over what is somebody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import StorageFailed, UsageError
from workflows.review.tree import ReviewTree, check_task_id, find_base

OURS = {"run.json": json.dumps({"made_by": "mco"}).encode(), "raw/ann.log": [], "providers/ann.json": b"{}"}


@pytest.fixture
def tree(tmp_path: Path) -> ReviewTree:
    return ReviewTree(tmp_path / "base" / "task")


def test_a_tree_is_written_and_known_again(tree: ReviewTree, tmp_path: Path) -> None:
    printed = [tmp_path / "one", tmp_path / "two"]
    for path in printed:
        path.write_bytes(b"\x00" + path.name.encode() + b"\n")
    assert not tree.is_ours()
    tree.write({**OURS, "raw/ann.log": printed})

    assert tree.is_ours()
    assert (tree.path / "raw" / "ann.log").read_bytes() == b"\x00one\n\x00two\n"
    assert [path.name for path in tree.path.parent.iterdir()] == ["task"]


def test_an_empty_folder_is_taken(tree: ReviewTree) -> None:
    tree.path.mkdir(parents=True)
    assert not tree.is_ours()
    tree.write(OURS)
    assert tree.is_ours()


@pytest.mark.parametrize(
    "strange",
    [
        "a file",
        "a link",
        "a note",
        "a folder of others",
        "a link inside",
        "no facts",
        "facts of others",
        "deep",
    ],
)
def test_what_is_not_ours_stays(tree: ReviewTree, tmp_path: Path, strange: str) -> None:
    tree.write(OURS)
    elsewhere = tmp_path / "elsewhere"
    match strange:
        case "a file":
            tree.path.rename(elsewhere)
            tree.path.write_text("mine")
        case "a link":
            tree.path.rename(elsewhere)
            tree.path.symlink_to(elsewhere)
        case "a note":
            (tree.path / "notes.md").write_text("mine")
        case "a folder of others":
            (tree.path / "src").mkdir()
        case "a link inside":
            (tree.path / "raw" / "bob.log").symlink_to(elsewhere)
        case "no facts":
            (tree.path / "run.json").unlink()
        case "facts of others":
            (tree.path / "run.json").write_text("[" * 100_000)
        case _:
            (tree.path / "providers" / "ann.json").unlink()
            (tree.path / "providers" / "ann.json").mkdir()
    before = sorted(path for path in tmp_path.rglob("*"))

    with pytest.raises(UsageError, match="holds something else already"):
        tree.write(OURS)
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_a_tree_that_cannot_be_written_whole_leaves_the_old_one(tree: ReviewTree, tmp_path: Path) -> None:
    tree.write({**OURS, "summary.md": b"old"})
    with pytest.raises(StorageFailed) as failed:
        tree.write({**OURS, "summary.md": b"new", "raw/bob.log": [tmp_path / "gone"]})

    assert failed.value.where == str(tree.path)
    assert (tree.path / "summary.md").read_bytes() == b"old"
    assert [path.name for path in tree.path.parent.iterdir()] == ["task"]


@pytest.mark.parametrize("task_id", ["a", "pr-1234", "2026.11_x", "A" * 64])
def test_a_task_id_can_be_a_folder_anywhere(task_id: str) -> None:
    assert check_task_id(task_id) == task_id


@pytest.mark.parametrize("task_id", ["", ".", "..", "a/b", "a\\b", "-a", "a b", "a.", "a\n", "A" * 65, "ä"])
def test_anything_else_is_no_task_id(task_id: str) -> None:
    with pytest.raises(UsageError, match="is no task id"):
        check_task_id(task_id)


def test_a_base_may_lie_outside_where_somebody_says_so(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    default = workspace / ".mco" / "reviews"
    assert find_base(workspace, workspace, None, default) == default
    assert find_base(workspace, workspace, "reports/review", default) == workspace / "reports" / "review"
    assert find_base(workspace, workspace / "sub", "../../out", default) == tmp_path / "out"
    assert find_base(workspace, workspace, str(tmp_path / "out"), default) == tmp_path / "out"


def test_a_link_in_the_workspace_leads_nowhere_else(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / ".mco").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="leaves the workspace through a link"):
        find_base(workspace, workspace, None, workspace / ".mco" / "reviews")
