"""Real repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

FILE_PROTOCOL = ("-c", "protocol.file.allow=always")


def git(folder: Path, *arguments: str, given: bytes | None = None) -> str:
    """Run git, which must not fail, and give what it printed."""
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, input=given)
    return done.stdout.decode(errors="surrogateescape").strip()


def new_repository(folder: Path, files: dict[str, str], *options: str) -> Path:
    """A repository with one commit of some files."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", *options)
    write(folder, files)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files, with their folders."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
