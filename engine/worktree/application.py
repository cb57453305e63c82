"""Brings a patch into the workspace's files: whole, or not at all. What is staged there stays as it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from engine.errors import MCOError, UsageError
from engine.text import clean_line
from engine.worktree.diff import FileDiff, PatchUnreadable, parse_patch
from engine.worktree.git import Git, GitFailed
from engine.worktree.hazards import hazards
from engine.worktree.restoring import Safe

_DIFF = (
    "diff-tree",
    "-r",
    "-p",
    "--binary",
    "--full-index",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
)


class PatchRefused(UsageError):
    """The patch would do what no patch may, or is none; nothing was changed."""


class Applied(NamedTuple):
    """How a patch was taken: as it is, `merged` with changes made since, or not at all because of `conflicts`."""

    how: Literal["clean", "merged", "conflicts", "marked"]
    conflicts: tuple[str, ...] = ()
    why: str = ""


def apply_patch(workspace: Path, data: bytes, *, safe: Safe, what: str, markers: bool = False) -> Applied:
    """Apply a patch to the files. With conflicts nothing changes, unless `markers` wants them in the files.

    Meanwhile the files as they were are in `safe`, which calls this `what`. PatchRefused before git sees what is
    hostile, MCOError when git cannot work here.
    """
    try:
        git = Git.at(workspace)
        top, prefix = git.place()
    except GitFailed as error:
        hint = "start mco in the repository that the patch was made in"
        raise MCOError("a patch can only be applied in a git repository", why=error.why, hint=hint) from None
    git = git._replace(folder=top)
    files = _checked(git, data, top, prefix)
    try:
        with safe.restored_on_failure(what, top, sorted({path for diff in files for path in diff.paths})):
            if git.attempt("apply", "--check", "-", given=data).code == 0:
                git.run("apply", "-", given=data)
                return Applied("clean")
            with _index_of_the_files(git, files) as trial:
                return _merge(git, trial, data, markers=markers)
    except GitFailed as error:
        hint = "mend that, then apply it again"
        raise MCOError(
            "the patch could not be applied; nothing was changed", why=error.why, hint=hint
        ) from None


def _checked(git: Git, data: bytes, top: Path, prefix: str) -> list[FileDiff]:
    try:
        files = parse_patch(data)
    except PatchUnreadable as error:
        raise PatchRefused("the patch cannot be read", why=str(error), hint="it was changed since") from None
    wrong = hazards(files, top, prefix)
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise PatchRefused("the patch was refused", why="; ".join(wrong[:3]) + more)
    # git has the last word on what a patch is about: it must have read what we read.
    counted = git.run("apply", "--numstat", "-z", "-", given=data).split(b"\0")
    seen = {os.fsdecode(entry.split(b"\t", 2)[2]) for entry in counted if entry.count(b"\t") >= 2}
    if seen != {diff.path for diff in files}:
        raise PatchRefused("the patch was refused", why="git reads other files in it than it seems to have")
    return files


@contextmanager
def _index_of_the_files(git: Git, files: Sequence[FileDiff]) -> Generator[Git, None, None]:
    """Runs git with an index of our own that holds the files as they are now: a merge stands on it."""
    with tempfile.TemporaryDirectory(prefix="mco-") as place:
        draft = Path(place, "index")
        index = Path(git.line("rev-parse", "--path-format=absolute", "--git-path", "index"))
        if index.exists():
            shutil.copy2(index, draft)
        trial = git.within(GIT_INDEX_FILE=draft)
        trial.run("add", "--update", "--", ":/")
        there = {path for diff in files for path in diff.paths if os.path.lexists(git.folder / path)}
        names = b"".join(
            os.fsencode(path) + b"\0" for path in sorted(there) if not (git.folder / path).is_dir()
        )
        trial.run("update-index", "--add", "-z", "--stdin", given=names)
        yield trial


def _merge(git: Git, trial: Git, data: bytes, *, markers: bool) -> Applied:
    before = trial.line("write-tree")
    merged = trial.attempt("apply", "--3way", "--cached", "-", given=data)
    conflicts = _conflicts(trial)
    if merged.code == 0 and not conflicts:
        change = trial.run(*_DIFF, before, trial.line("write-tree"))
        if change:
            git.run("apply", "-", given=change)
        return Applied("merged")
    if not conflicts or not markers:
        return Applied("conflicts", conflicts, merged.complaint)
    trial.run("read-tree", before)
    trial.attempt("update-index", "-q", "--refresh")
    marked = trial.attempt("apply", "--3way", "-", given=data)
    if marked.code not in (0, 1):  # 1: there are conflicts
        raise GitFailed("git apply failed", why=marked.complaint)
    return Applied("marked", conflicts)


def _conflicts(trial: Git) -> tuple[str, ...]:
    entries = trial.run("ls-files", "--unmerged", "-z").split(b"\0")
    names = [entry.partition(b"\t")[2].decode(errors="replace") for entry in entries if entry]
    return tuple(dict.fromkeys(clean_line(name, 200) for name in names))
