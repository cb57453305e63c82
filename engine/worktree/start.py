"""The state that a worktree starts from: HEAD, the working changes, and the untracked files that a step reads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from engine.errors import StepFailed
from engine.workspace.patterns import names_that_match
from engine.worktree.git import Git, GitFailed

_NOT_HERE = "isolation='worktree' needs a git repository"


class Repository(NamedTuple):
    """The repository around a workspace. `prefix` is the workspace's place in it, empty or ending in `/`."""

    git: Git
    top: Path
    prefix: str
    head: str
    """The commit that is checked out."""

    @classmethod
    def around(cls, workspace: Path) -> Repository:
        """The repository of a workspace. StepFailed (`unsupported`) when a worktree cannot come of it."""
        try:
            git = Git.at(workspace)
            top, prefix = git.place()
        except GitFailed as error:
            raise _unsupported(error, "run `git init` and commit, or leave isolation out") from None
        try:
            head = git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except GitFailed:
            why = f"{_NOT_HERE} with a commit, and this one has none"
            raise StepFailed("unsupported", why, hint="make a first commit, or leave isolation out") from None
        return cls(git._replace(folder=top), top, prefix, head)


class Start(NamedTuple):
    """The state, as trees of the repository's object store: with the working changes, and as it was staged."""

    tree: str
    staged: str


def take_start(repository: Repository, draft: Path, reads: Sequence[str] | None) -> Start:
    """Write down the state of the files as they are now. `draft` is a place for an index of ours.

    The repository's own index and files are only read; the contents of changed files go into its object store.
    """
    index = Path(repository.git.line("rev-parse", "--path-format=absolute", "--git-path", "index"))
    if index.exists():
        shutil.copy2(index, draft)  # with its time, by which git knows what may have changed since
    git = repository.git.within(GIT_INDEX_FILE=draft)
    staged = git.attempt("write-tree")  # a merge that goes on has no tree
    git.run("add", "--update", "--", ":/")
    untracked = _untracked(git, repository.prefix, reads)
    if untracked:
        git.run("update-index", "--add", "-z", "--stdin", given=b"".join(name + b"\0" for name in untracked))
    tree = os.fsdecode(git.run("write-tree")).strip()
    before = os.fsdecode(staged.output).strip() if staged.code == 0 else repository.head
    return Start(tree, before)


def _untracked(git: Git, prefix: str, reads: Sequence[str] | None) -> list[bytes]:
    """Files that git neither knows nor ignores, of those that `reads` names; `.mco` is never among them."""
    if reads is not None and not reads:
        return []
    listed = git.run("ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--", ":/").split(
        b"\0"
    )
    # A name that ends in / is a repository of its own.
    names = [name for name in listed if name and not name.endswith(b"/") and b".mco" not in name.split(b"/")]
    if reads is None:
        return names
    place = os.fsencode(prefix)
    inside = [os.fsdecode(name.removeprefix(place)) for name in names if name.startswith(place)]
    return [place + os.fsencode(name) for name in names_that_match(tuple(reads), inside)]


def _unsupported(error: GitFailed, hint: str) -> StepFailed:
    return StepFailed("unsupported", f"{_NOT_HERE}: {error.why or error}", hint=hint)
