"""A repository with a little history, and git as a person would call it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def git(folder: Path, *arguments: str) -> str:
    """What git prints, in a repository that nobody else has touched."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit: a text of forty lines, a file of bytes, a script, a link, and a folder."""
    folder = tmp_path / "repository"
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "src" / "lines.txt").write_text("".join(f"line {number}\n" for number in range(1, 41)))
    (folder / "data.bin").write_bytes(bytes(range(256)))
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "name with spaces.txt").write_text("text\n")
    (folder / "link").symlink_to("src/lines.txt")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where worktrees are made: outside the repository."""
    folder = tmp_path / "cache" / "worktrees"
    folder.mkdir(parents=True)
    return folder
