"""Manifests with real git, and the paths that may not leave."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.workspace import Manifest, make_manifest, resolve_inside

pytestmark = pytest.mark.anyio


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("a")
    (folder / "b é.txt").write_text("b")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


async def test_tracked_changed_untracked_and_ignored_files(repository: Path):
    (repository / "src" / "a.py").write_text("changed")
    (repository / "new.txt").write_text("new")
    (repository / "noise.log").write_text("ignored")
    (repository / ".mco").mkdir()
    (repository / ".mco" / "run").write_text("ours")
    manifest = await make_manifest(repository)
    assert set(manifest.files) == {"src/a.py", "b é.txt", ".gitignore", "new.txt"}
    assert manifest.files["src/a.py"] == git(repository, "hash-object", "src/a.py")


async def test_committing_a_change_alters_nothing(repository: Path):
    (repository / "src" / "a.py").write_text("changed")
    (repository / "new.txt").write_text("new")
    before = await make_manifest(repository)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "second")
    assert (await make_manifest(repository)).fingerprint(None) == before.fingerprint(None)


async def test_a_touched_file_with_the_same_content_alters_nothing(repository: Path):
    before = await make_manifest(repository)
    os.utime(repository / "src" / "a.py", (1, 1))
    assert (await make_manifest(repository)).fingerprint(None) == before.fingerprint(None)


async def test_a_deleted_file_leaves_the_manifest(repository: Path):
    (repository / "src" / "a.py").unlink()
    assert "src/a.py" not in (await make_manifest(repository)).files


async def test_a_folder_inside_a_repository_is_seen_from_there(repository: Path):
    (repository / "src" / "a.py").write_text("changed")
    manifest = await make_manifest(repository / "src")
    assert set(manifest.files) == {"a.py"}
    assert manifest.files["a.py"] == git(repository, "hash-object", "src/a.py")


async def test_a_repositorys_own_settings_run_nothing(repository: Path, tmp_path: Path):
    canary = tmp_path / "canary"
    git(repository, "config", "core.fsmonitor", f"touch {canary}; false")
    await make_manifest(repository)
    assert not canary.exists()


async def test_a_plain_folder_is_walked_and_links_are_not_followed(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    folder = tmp_path / "plain"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "x").write_text("x")
    (folder / "link").symlink_to(outside)
    (folder / "sub" / "file-link").symlink_to(outside / "secret")
    manifest = await make_manifest(folder)
    assert set(manifest.files) == {"sub/x", "link", "sub/file-link"}
    (outside / "secret").write_text("changed")
    assert (await make_manifest(folder)).fingerprint(None) == manifest.fingerprint(None)


@pytest.mark.parametrize(
    ("reads", "changes"),
    [
        (None, True),
        (("src/**",), True),
        (("docs/",), False),
        (("*.py", "!src/a.py"), False),
        (("a.py",), True),
    ],
)
def test_reads_choose_with_gits_patterns(reads: tuple[str, ...] | None, changes: bool):
    before = Manifest({"src/a.py": "1", "docs/x.md": "1"})
    after = Manifest({"src/a.py": "2", "docs/x.md": "1"})
    assert (before.fingerprint(reads) != after.fingerprint(reads)) is changes


def test_targets_are_resolved_inside_the_workspace(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "door").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "file").write_text("")
    assert resolve_inside(tmp_path / "in", "file") == tmp_path / "in" / "file"
    assert resolve_inside(tmp_path / "in", ".") == tmp_path / "in"
    for target in ("../out", "door", str(tmp_path / "out"), "/"):
        with pytest.raises(UsageError, match="leaves the workspace"):
            resolve_inside(tmp_path / "in", target)
    for target in ("none", "nul\0byte"):
        with pytest.raises(UsageError, match="does not exist"):
            resolve_inside(tmp_path / "in", target)


def test_a_pattern_that_would_backtrack_for_ever_is_matched_at_once():
    files = {"x/" + "a" * 200 + str(number): "id" for number in range(50)}
    assert Manifest(files).fingerprint(("**/" + "*a" * 12 + "b",)) == Manifest({}).fingerprint(())


def test_a_name_that_is_no_utf_8_is_matched_by_what_matches_any_character():
    files = {"a\udcff.py": "id", "b.txt": "id"}
    assert Manifest(files).fingerprint(("*.py",)) == Manifest({"a\udcff.py": "id"}).fingerprint(None)
