"""A repository's own settings name programs; looking at its files starts none of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.workspace.survey import survey
from tests.workspace.repositories import git, new_repository, write

NAMING_PROGRAMS = {
    "core.fsmonitor": "{program}",
    "core.hooksPath": "{hooks}",
    "core.sshCommand": "{program}",
    "core.gitProxy": "{program}",
    "core.askPass": "{program}",
    "core.pager": "{program}",
    "core.editor": "{program}",
    "core.alternateRefsCommand": "{program}",
    "credential.helper": "!{program}",
    "diff.external": "{program}",
    "diff.x.command": "{program}",
    "diff.x.textconv": "{program}",
    "filter.x.clean": "{program}",
    "filter.x.smudge": "{program}",
    "filter.x.required": "true",
    "filter.y=z.process": "{program}",
    "merge.x.driver": "{program}",
    "gpg.program": "{program}",
    "alias.ls-files": "!{program}",
    "alias.diff-files": "!{program}",
    "uploadpack.packObjectsHook": "{program}",
    "protocol.allow": "always",
    "remote.origin.url": "ext::{program} at-once",
    "remote.origin.promisor": "true",
    "remote.origin.uploadpack": "{program}",
    "core.trustctime": "false",
    "core.checkStat": "minimal",
}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def hostile(tmp_path: Path, canary: Path) -> Path:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho ran >> '{canary}'\n[ $# -gt 0 ] || cat\n")
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "pre-auto-gc", "reference-transaction"):
        shutil.copy(program, hooks / name)
    names = {"a.x": "a", "b.y": "b", "c": "c", ".gitattributes": "*.x filter=x diff=x\n*.y filter=y=z\n"}
    folder = new_repository(tmp_path / "hostile", names)
    for name, value in NAMING_PROGRAMS.items():
        git(folder, "config", name, value.format(program=program, hooks=hooks))
    git(folder, "config", "core.repositoryFormatVersion", "1")
    git(folder, "config", "extensions.partialClone", "origin")
    return folder


def make_racy(folder: Path) -> None:
    """As young as the index: git then compares contents, and would put them through a filter."""
    index = (folder / ".git" / "index").stat()
    for name in ("a.x", "b.y", "c"):
        os.utime(folder / name, ns=(index.st_mtime_ns + 10**9, index.st_mtime_ns + 10**9))


def test_git_itself_would_run_them_here(hostile: Path, canary: Path):
    make_racy(hostile)
    git(hostile, "status")
    assert canary.exists()


@pytest.mark.parametrize("racy", [True, False])
def test_looking_at_the_files_runs_nothing(hostile: Path, canary: Path, racy: bool):
    if racy:
        make_racy(hostile)
    else:
        write(hostile, {"a.x": "changed", "b.y": "changed", "new.x": "new"})
    found = survey(hostile)
    assert found.notes == []
    assert {"a.x", "b.y", "c", ".gitattributes"} <= found.manifest.files.keys()
    assert not canary.exists()


def test_missing_objects_of_a_partial_clone_are_fetched_from_nowhere(hostile: Path, canary: Path):
    write(hostile, {"in/a": "a", "out/b": "b"})
    git(hostile, "-c", "filter.x.required=false", "add", "in", "out")
    git(hostile, "commit", "-qm", "folders")
    git(hostile, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
    tree = git(hostile, "rev-parse", "HEAD:out")
    (hostile / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    subprocess.run(["git", "ls-files", "--stage"], cwd=hostile, check=False, capture_output=True)
    assert canary.exists(), "git itself would fetch, and the repository says how"
    canary.unlink()
    (note,) = survey(hostile).notes
    assert "git does not read" in note
    assert not canary.exists()


def test_a_repository_inside_is_as_hostile(hostile: Path, canary: Path, tmp_path: Path):
    outer = tmp_path / "outer"
    outer.mkdir()
    shutil.copytree(hostile, outer / "inner")
    make_racy(outer / "inner")
    assert "inner/a.x" in survey(outer).manifest.files
    assert not canary.exists()


def test_an_index_that_came_along_is_not_believed_about_changed_files(tmp_path: Path):
    folder = new_repository(tmp_path / "honest", {"a.py": "harmless"})
    status = (folder / "a.py").stat()
    git(folder, "config", "core.trustctime", "false")
    git(folder, "config", "core.checkStat", "minimal")
    (folder / "unpacked").write_text("hostile!")
    os.utime(folder / "unpacked", ns=(status.st_atime_ns, status.st_mtime_ns))
    (folder / "unpacked").replace(folder / "a.py")
    os.utime(folder / ".git" / "index", ns=(status.st_mtime_ns + 10**10, status.st_mtime_ns + 10**10))
    assert git(folder, "status", "--porcelain", "a.py") == ""
    assert survey(folder).manifest.files["a.py"] == git(folder, "hash-object", "a.py")


def test_a_name_in_the_index_that_leads_outside_is_dropped(tmp_path: Path):
    folder = new_repository(tmp_path / "new", {"a": "a"})
    content = git(folder, "hash-object", "-w", "a")
    as_long = b"xx/.outside"
    git(folder, "update-index", "--add", "--cacheinfo", f"100644,{content},{as_long.decode()}")
    index = folder / ".git" / "index"
    body = index.read_bytes()[:-20].replace(as_long, b"../.outside")
    index.write_bytes(body + hashlib.sha1(body).digest())
    (tmp_path / ".outside").write_text("secret")
    assert set(survey(folder).manifest.files) == {"a"}


def test_a_pipe_holds_nothing_up(tmp_path: Path):
    folder = tmp_path / "plain"
    write(folder, {"a": "a"})
    os.mkfifo(folder / "pipe")
    assert set(survey(folder).manifest.files) == {"a"}
