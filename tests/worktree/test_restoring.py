"""Files that are put back when changing them came to nothing, at once or, after a kill, when somebody says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engine.errors import MCOError, StorageFailed, UsageError
from engine.record.lock import RunLock
from engine.worktree.restoring import LeftBehind, Safe

NAMES = ("changed", "gone", "new", "link", "folder/deep")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "top"
    (folder / "folder").mkdir(parents=True)
    for name in ("changed", "gone", "folder/deep"):
        (folder / name).write_text(f"{name} before")
    (folder / "link").symlink_to("gone")
    (folder / "changed").chmod(0o755)
    return folder


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return Safe(tmp_path / "cache" / "applying")


def state(top: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(top)): (
            str(path.readlink()) if path.is_symlink() else path.read_text(),
            path.lstat().st_mode,
        )
        for path in sorted(top.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }


def change(top: Path) -> None:
    (top / "changed").write_text("half")
    (top / "gone").unlink()
    (top / "new").write_text("made")
    (top / "link").unlink()
    (top / "link").write_text("no link")
    (top / "folder" / "deep").unlink()
    (top / "folder").rmdir()


class Killed(BaseException):
    """What nobody catches and tidies up after."""


def killed_after(top: Path, changing: Callable[[Path], None]) -> None:
    changing(top)
    raise Killed


def cut_off(safe: Safe, top: Path, changing: Callable[[Path], None], names: Sequence[str] = NAMES) -> None:
    """As a kill leaves it: the lock is free, and nothing of what tidies up has run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("engine.worktree.restoring._put_all_back", lambda _: None)
        patched.setattr("engine.worktree.restoring._forget", lambda _: None)
        with pytest.raises(Killed), safe.restored_on_failure("the change", top, names):
            killed_after(top, changing)


def left(safe: Safe) -> LeftBehind:
    found = safe.left_behind()
    assert found is not None
    return found


def test_what_failed_changes_nothing(safe: Safe, top: Path):
    before = state(top)
    with pytest.raises(Killed), safe.restored_on_failure("the change", top, NAMES):
        killed_after(top, change)
    assert state(top) == before
    assert safe.left_behind() is None


def test_what_went_well_stays_and_nothing_is_kept(safe: Safe, top: Path):
    with safe.restored_on_failure("the change", top, NAMES):
        change(top)
    assert (top / "new").read_text() == "made"
    assert safe.left_behind() is None
    assert {path.name for path in safe.folder.iterdir()} == {"lock"}


def test_what_a_kill_left_is_put_back_and_what_stood_there_is_kept(safe: Safe, top: Path):
    before = state(top)
    cut_off(safe, top, change)
    found = left(safe)
    assert found.what == "the change"
    assert [file.name for file in found.changed()] == list(NAMES)
    assert [file.path for file in found.changed()] == [top / name for name in NAMES]
    with pytest.raises(MCOError, match="cut off in the middle"), safe.restored_on_failure("x", top, NAMES):
        pytest.fail("nothing may be changed before somebody has decided")
    instead = safe.undo(found)
    assert state(top) == before
    assert {name: said for name, (said, _) in state(instead).items()} == {
        "changed": "half",
        "link": "no link",
        "new": "made",
    }
    assert safe.left_behind() is None


def test_what_a_kill_left_can_be_let_be(safe: Safe, top: Path):
    cut_off(safe, top, change)
    after = state(top)
    safe.leave(left(safe))
    assert state(top) == after
    assert safe.left_behind() is None


def test_a_kill_before_anything_was_changed_leaves_nothing_to_decide(safe: Safe, top: Path):
    cut_off(safe, top, lambda _: None)
    assert safe.left_behind() is None
    with safe.restored_on_failure("x", top, NAMES):
        change(top)


def test_of_two_who_undo_at_once_the_later_one_touches_nothing(safe: Safe, top: Path):
    before = state(top)
    cut_off(safe, top, change)
    found = left(safe)
    safe.undo(found)
    for late in (safe.undo, safe.leave):
        with pytest.raises(UsageError, match="nothing to decide any more"):
            late(found)
    assert state(top) == before


def test_who_undoes_what_another_has_let_be_touches_nothing(safe: Safe, top: Path):
    cut_off(safe, top, change)
    found, after = left(safe), state(top)
    safe.leave(found)
    with pytest.raises(UsageError, match="nothing to decide any more"):
        safe.undo(found)
    assert state(top) == after


def test_all_new_files_are_kept_when_they_are_undone(safe: Safe, top: Path):
    before = state(top)
    names = ("new", "folder/new", "newer/folder/new")

    def add(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{name}, which the user went on with")

    cut_off(safe, top, add, names)
    instead = safe.undo(left(safe))
    assert state(top) == before
    assert not (top / "newer").exists()
    assert all((instead / name).read_text().startswith(name) for name in names)


def to_folder(top: Path) -> None:
    (top / "changed").unlink()
    (top / "changed" / "into").mkdir(parents=True)
    (top / "changed" / "into" / "this").write_text("made")


def to_file(top: Path) -> None:
    (top / "folder" / "deep").unlink()
    (top / "folder").rmdir()
    (top / "folder").write_text("made")


@pytest.mark.parametrize(
    ("changing", "names"),
    [(to_folder, ["changed", "changed/into/this"]), (to_file, ["folder", "folder/deep"])],
)
def test_a_file_that_became_a_folder_is_put_back_and_the_other_way_round(
    safe: Safe, top: Path, changing: Callable[[Path], None], names: list[str]
):
    before = state(top)
    with pytest.raises(Killed), safe.restored_on_failure("the change", top, names):
        killed_after(top, changing)
    assert state(top) == before
    cut_off(safe, top, changing, names)
    safe.undo(left(safe))
    assert state(top) == before


def test_what_cannot_be_put_back_stays_in_safety(safe: Safe, top: Path):
    def change_and_stand_in_the_way(folder: Path) -> None:
        change(folder)
        (folder / "gone").mkdir()
        (folder / "gone" / "of the user").touch()

    before = state(top)
    with (
        pytest.raises(StorageFailed, match="could not all be put back") as failed,
        safe.restored_on_failure("the change", top, NAMES),
    ):
        killed_after(top, change_and_stand_in_the_way)
    assert failed.value.where == str(top / "gone")
    with pytest.raises(StorageFailed, match="could not all be put back"):
        safe.undo(left(safe))
    (top / "gone" / "of the user").unlink()
    safe.undo(left(safe))
    assert state(top) == before


def test_a_second_interruption_while_files_are_put_back_leaves_them_in_safety(
    safe: Safe, top: Path, monkeypatch: pytest.MonkeyPatch
):
    before = state(top)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def change_and_interrupt(folder: Path) -> None:
        change(folder)
        monkeypatch.setattr("engine.worktree.restoring.shutil.copy2", interrupted)

    with pytest.raises(KeyboardInterrupt), safe.restored_on_failure("the change", top, NAMES):
        killed_after(top, change_and_interrupt)
    monkeypatch.undo()
    safe.undo(left(safe))
    assert state(top) == before


def test_a_kill_while_the_copies_are_deleted_leaves_nothing_to_decide(safe: Safe, top: Path):
    def deleted_in_part(place: Path, **_: object) -> None:
        for copy in place.glob("[0-9]"):
            copy.unlink()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("engine.worktree.restoring.shutil.rmtree", deleted_in_part)
        with safe.restored_on_failure("the change", top, NAMES):
            (top / "changed").write_text("all of it")
    assert safe.left_behind() is None
    assert (top / "changed").read_text() == "all of it"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_is_put_back_under_its_own(safe: Safe, top: Path):
    name = os.fsdecode(b"caf\xe9 100%.txt")
    (top / name).write_text("before")
    before = state(top)
    cut_off(safe, top, lambda folder: (folder / name).unlink(), [name])
    assert [file.name for file in left(safe).changed()] == [name]
    safe.undo(left(safe))
    assert state(top) == before


@pytest.mark.parametrize("facts", [None, b"", b"{", b'{"what":1}', b"\xff"])
def test_a_kill_while_the_files_were_being_kept_leaves_nothing_to_decide(safe: Safe, facts: bytes | None):
    place = safe.folder / "files"
    place.mkdir(parents=True)
    (place / "0").write_text("half a copy")
    if facts is not None:
        (place / "facts.json").write_bytes(facts)
    assert safe.left_behind() is None
    assert not place.exists()


def test_only_one_changes_files_at_a_time(safe: Safe, top: Path):
    safe.folder.mkdir(parents=True)
    with RunLock(safe.folder / "lock"):
        with pytest.raises(MCOError, match="another mco"), safe.restored_on_failure("x", top, NAMES):
            pytest.fail("somebody else is at it")
        (safe.folder / "files").mkdir()
        assert safe.left_behind() is None


def test_files_that_cannot_be_kept_are_not_changed(safe: Safe, top: Path):
    safe.folder.parent.mkdir(parents=True)
    safe.folder.write_text("no folder")
    with pytest.raises(MCOError, match="cannot be kept"), safe.restored_on_failure("x", top, NAMES):
        pytest.fail("nothing is kept")
