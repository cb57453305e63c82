"""Files that are put back when changing them came to nothing, at once or, after a kill, when somebody says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import MCOError
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


def cut_off(safe: Safe, top: Path, changing: Callable[[Path], None]) -> None:
    """As a kill leaves it: the lock is free, and nothing of what tidies up has run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("engine.worktree.restoring._put_back", lambda path, copy: None)
        patched.setattr("engine.worktree.restoring.shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(Killed), safe.restored_on_failure("the change", top, NAMES):
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
    assert [path.relative_to(top).as_posix() for path, _ in found.changed()] == list(NAMES)
    with pytest.raises(MCOError, match="cut off in the middle"), safe.restored_on_failure("x", top, NAMES):
        pytest.fail("nothing may be changed before somebody has decided")
    instead = safe.undo(found)
    assert state(top) == before
    assert {path.read_text() for path in instead.iterdir()} == {"half", "made", "no link"}
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
