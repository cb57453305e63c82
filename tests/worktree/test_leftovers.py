"""Worktrees whose process is gone: empty ones are swept, work becomes a patch of its run, and nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import StepFailed
from engine.record.folder import RunFolder
from engine.record.lock import RunLock
from engine.record.patches import PatchFolder
from engine.step import ProviderChoice, Step
from engine.worktree.leftovers import Leftover, leftovers, lock_of, rescue, sweep, why_left
from engine.worktree.worktrees import OpenWorktree, Whose, Worktrees
from tests.worktree.conftest import git

pytestmark = pytest.mark.anyio
STEP = Step(
    "change it", label="one", providers=(ProviderChoice("fake"),), access="write", isolation="worktree"
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", "20261121-110457-3f9a")


async def opened(repository: Path, place: Path, run: RunFolder) -> OpenWorktree:
    return await Worktrees(repository, place, run).open(Whose(STEP, 1, "fake", 1))


async def killed(repository: Path, place: Path, run: RunFolder, *, work: bool) -> Leftover:
    """A worktree as a killed mco leaves it: the operating system has let go of its lock, and nothing else happened."""
    tree = await opened(repository, place, run)
    if work:
        (tree.folder / "new.txt").write_text("work")
    tree._lock.release()
    (leftover,) = leftovers(place)
    return leftover


async def test_one_that_is_in_use_is_nobodys_leftover(repository: Path, place: Path, run: RunFolder) -> None:
    tree = await opened(repository, place, run)

    assert leftovers(place) == []
    sweep(place)
    assert tree.folder.exists()


async def test_an_empty_one_is_swept_by_the_next_run(repository: Path, place: Path, run: RunFolder) -> None:
    left = await killed(repository, place, run, work=False)
    later = await opened(repository, place, RunFolder(run.path.with_name("20261121-120000-0000")))

    assert not left.path.exists()
    await later.drop()
    assert list(place.iterdir()) == []
    assert len(git(repository, "worktree", "list").splitlines()) == 1


async def test_one_that_holds_work_is_not_swept(repository: Path, place: Path, run: RunFolder) -> None:
    left = await killed(repository, place, run, work=True)
    sweep(place)

    assert (left.path / "new.txt").read_text() == "work"


async def test_the_work_of_a_killed_attempt_becomes_a_patch_of_its_run(
    repository: Path, place: Path, run: RunFolder
) -> None:
    left = await killed(repository, place, run, work=True)

    assert rescue(left)
    (kept,) = PatchFolder(run).all()
    assert (kept.state, kept.facts.ended, kept.facts.label) == ("unfinished", "killed", "one")
    assert b"+work" in kept.path.read_bytes()
    assert list(place.iterdir()) == []


async def test_work_that_was_kept_before_the_kill_is_not_kept_twice(
    repository: Path, place: Path, run: RunFolder
) -> None:
    first = await opened(repository, place, run)
    (first.folder / "new.txt").write_text("work")
    await first.keep()
    left = await killed(repository, place, run, work=True)

    assert rescue(left)
    assert [kept.state for kept in PatchFolder(run).all()] == ["offered"]


async def test_work_stays_where_it_is_when_its_run_is_gone(
    repository: Path, place: Path, run: RunFolder
) -> None:
    left = await killed(repository, place, run, work=True)
    shutil.rmtree(run.path)

    assert not rescue(left)
    assert why_left(left) == "the folder of its run is gone"
    assert (left.path / "new.txt").exists()


async def test_work_stays_where_it_is_when_the_repository_is_gone(
    repository: Path, place: Path, run: RunFolder
) -> None:
    left = await killed(repository, place, run, work=True)
    shutil.rmtree(repository)

    assert not rescue(left)
    assert "cannot be read" in why_left(left)
    assert (left.path / "new.txt").exists()


async def test_two_that_sweep_at_once_do_not_take_it_from_each_other(
    repository: Path, place: Path, run: RunFolder
) -> None:
    left = await killed(repository, place, run, work=True)
    with RunLock(lock_of(left.path)):
        assert not rescue(left)
    assert rescue(left)
    assert not rescue(left)
    assert len(PatchFolder(run).all()) == 1


async def test_one_that_was_never_finished_being_made_is_swept(
    repository: Path, place: Path, run: RunFolder
) -> None:
    left = await killed(repository, place, run, work=False)
    left.copy.start_index.unlink()
    sweep(place)

    assert list(place.iterdir()) == []


async def test_a_foreign_file_there_is_left_alone(place: Path) -> None:
    (place / "notes.json").write_text('{"run": 1}')
    sweep(place)

    assert (place / "notes.json").exists()


async def test_work_that_no_patch_holds_keeps_its_worktree(
    repository: Path, place: Path, run: RunFolder
) -> None:
    tree = await opened(repository, place, run)
    inner = tree.folder / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    (inner / "file").touch()
    git(inner, "add", "--all")
    git(inner, "commit", "--quiet", "--message", "inside")
    with pytest.raises(StepFailed, match="no patch can hold"):
        await tree.keep()
    (left,) = leftovers(place)

    assert not rescue(left)
    assert (left.path / "inner" / "file").exists()


async def test_without_a_repository_nothing_is_left_behind(
    tmp_path: Path, place: Path, run: RunFolder
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    with pytest.raises(StepFailed, match="needs a git repository"):
        await opened(plain, place, run)

    assert list(place.iterdir()) == []
