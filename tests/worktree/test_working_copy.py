"""A worktree starts from the files as they are, and everything that was changed in it comes out as a patch."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from engine.errors import StepFailed, StorageFailed
from engine.step import Patch
from engine.worktree.diff import parse_patch
from engine.worktree.working_copy import WorkingCopy
from tests.worktree.conftest import git

REPOSITORY_OF_BYTES = sys.platform != "linux"


def make(workspace: Path, place: Path, reads: tuple[str, ...] | None = None) -> WorkingCopy:
    return WorkingCopy.make(workspace, place / "tree", reads, lambda _copy: None)


def collected(copy: WorkingCopy) -> Patch:
    patch = copy.collect("someone")
    assert patch is not None
    return patch


def changes(patch: Patch) -> set[tuple[str, str]]:
    return {(file.status, file.path) for file in patch.files}


def test_it_starts_with_the_working_changes_staged_or_not(repository: Path, place: Path) -> None:
    lines = repository / "src" / "lines.txt"
    lines.write_text("staged\n")
    git(repository, "add", "--all")
    lines.write_text("staged\nand not staged\n")
    (repository / "data.bin").unlink()
    (repository / "run.sh").chmod(0o755)
    (repository / "link").unlink()
    (repository / "link").symlink_to("run.sh")
    (repository / "new.txt").write_text("untracked")
    (repository / "ignored").write_text("secret")
    copy = make(repository, place)

    assert git(copy.path, "status", "--porcelain") == git(repository, "status", "--porcelain")
    assert (copy.path / "src" / "lines.txt").read_text() == "staged\nand not staged\n"
    assert os.access(copy.path / "run.sh", os.X_OK)
    assert (copy.path / "link").readlink() == Path("run.sh")
    assert not (copy.path / "ignored").exists()


def test_making_one_leaves_the_index_and_the_files_of_the_repository_alone(
    repository: Path, place: Path
) -> None:
    (repository / "src" / "lines.txt").write_text("changed\n")
    before = (git(repository, "status", "--porcelain"), (repository / ".git" / "index").read_bytes())
    make(repository, place)

    assert (git(repository, "status", "--porcelain"), (repository / ".git" / "index").read_bytes()) == before


@pytest.mark.parametrize(
    ("reads", "there"),
    [(None, {"a.md", "deep/b.py"}), (("*.py",), {"deep/b.py"}), (("/*.md", "!a.md"), set()), ((), set())],
)
def test_untracked_files_come_along_when_the_step_reads_them(
    repository: Path, place: Path, reads: tuple[str, ...] | None, there: set[str]
) -> None:
    (repository / "deep").mkdir()
    for name in ("a.md", "deep/b.py"):
        (repository / name).write_text("x")
    copy = make(repository, place, reads)

    assert {name for name in ("a.md", "deep/b.py") if (copy.path / name).exists()} == there


def test_one_in_which_nothing_was_changed_has_no_patch(repository: Path, place: Path) -> None:
    (repository / "new.txt").write_text("untracked")
    copy = make(repository, place)
    (copy.path / "ignored").write_text("scratch")

    assert copy.collect("someone") is None


def test_everything_that_was_changed_is_in_the_patch(repository: Path, place: Path) -> None:
    (repository / "run.sh").write_text("mine\n")
    copy = make(repository, place)
    (copy.path / "src" / "lines.txt").rename(copy.path / "moved.txt")
    (copy.path / "data.bin").write_bytes(bytes(300))
    (copy.path / "run.sh").chmod(0o755)
    (copy.path / "link").unlink()
    (copy.path / "name with spaces.txt").write_text("other\n")
    (copy.path / "empty").touch()
    (copy.path / 'odd "name"\t\n.txt').write_text("no newline")
    patch = collected(copy)

    assert changes(patch) == {
        ("renamed", "moved.txt"),
        ("changed", "data.bin"),
        ("changed", "run.sh"),
        ("deleted", "link"),
        ("changed", "name with spaces.txt"),
        ("added", "empty"),
        ("added", 'odd "name"\t\n.txt'),
    }
    assert b"mine" not in patch.data  # what was there before is not the agent's


@pytest.mark.skipif(REPOSITORY_OF_BYTES, reason="only Linux has names that are no UTF-8")
def test_a_name_that_is_no_utf8_comes_through(repository: Path, place: Path) -> None:
    copy = make(repository, place)
    name = os.fsdecode(b"caf\xe9.txt")
    (copy.path / name).write_bytes(b"\xff\xfe\n")
    patch = collected(copy)

    assert [diff.path for diff in parse_patch(patch.data)] == [name]
    assert [file.path for file in patch.files] == ["caf�.txt"]


def test_what_an_agent_commits_or_stages_is_in_the_patch_all_the_same(repository: Path, place: Path) -> None:
    copy = make(repository, place)
    (copy.path / "committed.txt").write_text("x")
    git(copy.path, "add", "--all")
    git(copy.path, "commit", "--quiet", "--message", "by the agent")
    (copy.path / "staged.txt").write_text("x")
    git(copy.path, "add", "--all")
    (copy.path / "neither.txt").write_text("x")

    assert {path for _, path in changes(collected(copy))} == {"committed.txt", "staged.txt", "neither.txt"}


def test_an_agent_that_replaces_git_in_its_worktree_changes_nothing_for_us(
    repository: Path, place: Path, tmp_path: Path
) -> None:
    copy = make(repository, place)
    (copy.path / ".git").unlink()
    git(copy.path, "init", "--quiet")
    git(copy.path, "config", "core.fsmonitor", f"touch {tmp_path}/started")
    (copy.path / "new.txt").write_text("x")

    assert changes(collected(copy)) == {("added", "new.txt")}
    assert not (tmp_path / "started").exists()


def test_our_own_folder_is_never_in_a_patch(repository: Path, place: Path) -> None:
    copy = make(repository, place)
    for folder in (copy.path / ".mco", copy.path / "src" / ".mco"):
        folder.mkdir()
        (folder / "config.toml").write_text('access = "full"')

    assert copy.collect("someone") is None


def test_a_workspace_below_the_top_is_the_same_folder_of_the_worktree(repository: Path, place: Path) -> None:
    copy = make(repository / "src", place)
    (copy.folder / "lines.txt").write_text("changed\n")

    assert copy.folder == copy.path / "src"
    assert changes(collected(copy)) == {("changed", "src/lines.txt")}


def test_programs_that_the_repository_names_are_not_started(
    repository: Path, place: Path, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    for name in (
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "core.fsmonitor",
        "diff.x.textconv",
    ):
        git(repository, "config", name, f"touch {started}; cat")
    git(repository, "config", "filter.x.required", "true")
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {started}\n")
    hook.chmod(0o755)
    (repository / ".gitattributes").write_text("* filter=x diff=x\n")
    copy = make(repository, place)
    (copy.path / "src" / "lines.txt").write_text("changed\n")

    assert changes(collected(copy)) == {("changed", "src/lines.txt")}
    copy.remove()
    assert not started.exists()


def test_removing_it_leaves_nothing_behind(repository: Path, place: Path) -> None:
    copy = make(repository, place)
    locked = copy.path / "locked"
    locked.mkdir()
    (locked / "file").touch()
    locked.chmod(0)
    copy.remove()

    assert list(place.iterdir()) == []
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_other_worktrees_of_the_repository_stay_known_to_git(
    repository: Path, place: Path, tmp_path: Path
) -> None:
    git(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / "theirs"))
    shutil.move(tmp_path / "theirs", tmp_path / "unplugged")
    make(repository, place).remove()

    assert "theirs" in git(repository, "worktree", "list")


def test_a_folder_without_a_repository_says_the_way_out(tmp_path: Path, place: Path) -> None:
    with pytest.raises(StepFailed, match="needs a git repository") as failed:
        make(tmp_path, place)
    assert (failed.value.reason, failed.value.hint) == (
        "unsupported",
        "run `git init` and commit, or leave isolation out",
    )


def test_a_repository_that_says_its_files_are_elsewhere_is_not_followed(
    repository: Path, place: Path, tmp_path: Path
) -> None:
    git(repository, "config", "core.worktree", str(tmp_path))
    with pytest.raises(StepFailed, match="keeps its files elsewhere"):
        make(repository, place)


def test_a_bare_repository_says_why_not(tmp_path: Path, place: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare")
    with pytest.raises(StepFailed, match="must be run in a work tree"):
        make(tmp_path, place)


def test_a_repository_without_a_commit_says_the_way_out(tmp_path: Path, place: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(StepFailed, match="with a commit, and this one has none") as failed:
        make(tmp_path, place)
    assert failed.value.reason == "unsupported"


def test_a_repository_inside_the_worktree_is_work_that_no_patch_holds(repository: Path, place: Path) -> None:
    copy = make(repository, place)
    inner = copy.path / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    (inner / "file").write_text("x")
    git(inner, "add", "--all")
    git(inner, "commit", "--quiet", "--message", "inside")
    with pytest.raises(StepFailed, match="which no patch can hold") as failed:
        copy.collect("someone")

    assert failed.value.reason == "unsupported"
    assert (inner / "file").exists()


def test_work_inside_a_submodule_is_not_lost(repository: Path, place: Path, tmp_path: Path) -> None:
    module = tmp_path / "module"
    module.mkdir()
    git(module, "init", "--quiet")
    (module / "file").write_text("x")
    git(module, "add", "--all")
    git(module, "commit", "--quiet", "--message", "module")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(module), "module")
    git(repository, "commit", "--quiet", "--message", "with a submodule")
    copy = make(repository, place)

    assert copy.collect("someone") is None
    (copy.path / "module" / "written").write_text("by an agent")
    with pytest.raises(StepFailed, match="module"):
        copy.collect("someone")


def test_one_whose_start_is_gone_is_said_to_be_unreadable(repository: Path, place: Path) -> None:
    copy = make(repository, place)
    copy.start_index.unlink()

    with pytest.raises(StorageFailed, match="cannot be read"):
        copy.collect("someone")


def test_a_merge_that_goes_on_is_carried_over_as_it_stands(repository: Path, place: Path) -> None:
    git(repository, "checkout", "--quiet", "-b", "other")
    (repository / "run.sh").write_text("theirs\n")
    git(repository, "commit", "--quiet", "--all", "--message", "theirs")
    git(repository, "checkout", "--quiet", "main")
    (repository / "run.sh").write_text("ours\n")
    git(repository, "commit", "--quiet", "--all", "--message", "ours")
    with pytest.raises(Exception, match="merge"):
        git(repository, "merge", "other")
    copy = make(repository, place)

    assert "<<<<<<<" in (copy.path / "run.sh").read_text()
    assert copy.collect("someone") is None
