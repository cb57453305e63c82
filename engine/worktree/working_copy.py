"""One git worktree: made from the workspace as it is, read out as a patch, and removed. Blocking; see `worktrees`."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import StepFailed, StorageFailed
from engine.step import Patch, PatchedFile
from engine.worktree.diff import SUBMODULE, FileDiff, PatchUnreadable, parse_patch
from engine.worktree.git import Git, GitFailed
from engine.worktree.start import Repository, Start, take_start

_DIFF = (
    *("diff-tree", "-r", "-p", "--binary", "--full-index", "-M", "-l0", "-U3", "--no-color", "--no-ext-diff"),
    *("--no-textconv", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/", "-O" + os.devnull),
)
_ALL_BUT_OURS = ("--", ":/", ":(top,exclude,glob)**/.mco/**")


class WorkingCopy(NamedTuple):
    """A worktree at `path`. Its index stands beside it, so that nothing an agent does to git there matters to us."""

    path: Path
    repository: Path
    """The top of the repository that it belongs to."""
    head: str
    tree: str
    """The state it started from, as a tree."""
    prefix: str

    @property
    def folder(self) -> Path:
        """The workspace in it, which an agent works in."""
        return self.path / self.prefix

    @property
    def start_index(self) -> Path:
        """Our index of the state it started from."""
        return self.path.with_name(f"{self.path.name}.index")

    @classmethod
    def make(
        cls, workspace: Path, path: Path, reads: tuple[str, ...] | None, note: Callable[[WorkingCopy], None]
    ) -> WorkingCopy:
        """Make one. `note` is called before anything is on disk. StepFailed (`unsupported`) without a repository.

        StorageFailed when git cannot write it.
        """
        repository = Repository.around(workspace)
        draft = path.with_name(f"{path.name}.draft")
        try:
            start = take_start(repository, draft, reads)
            copy = cls(path, repository.top, repository.head, start.tree, repository.prefix)
            note(copy)
            copy._check_out(repository, start)
        except (GitFailed, OSError) as error:
            raise _cannot("a worktree cannot be made", path, error) from error
        finally:
            with suppress(OSError):
                draft.unlink()
        return copy

    def _check_out(self, repository: Repository, start: Start) -> None:
        reason = "mco: an agent works here"
        repository.git.run(
            "worktree",
            "add",
            "--detach",
            "--no-checkout",
            "--lock",
            "--reason",
            reason,
            str(self.path),
            self.head,
        )
        git = repository.git._replace(folder=self.path)
        git.run("read-tree", "--reset", "-u", start.tree)
        shutil.copy2(git.line("rev-parse", "--path-format=absolute", "--git-path", "index"), self.start_index)
        git.run("read-tree", "-m", start.staged)  # what was staged is staged here, the rest is not
        self.folder.mkdir(parents=True, exist_ok=True)

    def collect(self, provider: str) -> Patch | None:
        """All that differs from its start, None when nothing does. StorageFailed when it cannot be read out.

        StepFailed (`unsupported`) when it holds what no patch can.
        """
        draft = self.path.with_name(f"{self.path.name}.end")
        try:
            repository = self._git()
            shutil.copy2(self.start_index, draft)
            git = repository.within(
                GIT_DIR=self._git_folder(repository), GIT_WORK_TREE=self.path, GIT_INDEX_FILE=draft
            )
            git = git._replace(folder=self.path)
            git.run("add", "--all", *_ALL_BUT_OURS)
            tree = git.line("write-tree")
            if tree == self.tree:
                files, data = [], b""
            else:
                data = git.run(*_DIFF, self.tree, tree)
                files = parse_patch(data) if data else []
            self._check_submodules(git, files)
        except (GitFailed, OSError, PatchUnreadable) as error:
            raise _cannot("the changes in a worktree cannot be read", self.path, error) from error
        finally:
            with suppress(OSError):
                draft.unlink()
        if not files:
            return None
        return Patch(data, self.head, provider, tuple(map(_for_people, files)))

    def _check_submodules(self, git: Git, files: list[FileDiff]) -> None:
        """A repository in the repository is one line of a patch: what it holds would be lost."""
        inner = [diff.path for diff in files if SUBMODULE in (diff.new_mode, diff.old_mode)]
        if (self.path / ".gitmodules").exists():
            entries = git.run("ls-files", "--stage", "-z").split(b"\0")
            modules = [
                os.fsdecode(entry.partition(b"\t")[2]) for entry in entries if entry.startswith(b"160000")
            ]
            inner += [name for name in modules if _holds_something(self.path / name)]
        if inner:
            raise StepFailed(
                "unsupported",
                f"the agent changed a repository inside the repository ({_shown(inner[0])}), which no patch can hold",
                hint=f"its work is still in {self.path}",
            )

    def remove(self) -> None:
        """Delete it and all that git knows of it. StorageFailed when it cannot be deleted."""
        try:
            if self.path.exists():
                shutil.rmtree(self.path, onerror=_make_deletable)
            if self.repository.exists():
                self._git().run("worktree", "remove", "--force", "--force", str(self.path))
        except GitFailed:
            pass  # git knows nothing of it (any more)
        except OSError as error:
            raise _cannot("a worktree cannot be removed", self.path, error) from error
        with suppress(OSError):
            self.start_index.unlink()

    def _git(self) -> Git:
        return Git.at(self.repository)

    def _git_folder(self, git: Git) -> str:
        return git.line("rev-parse", "--absolute-git-dir")


def _holds_something(folder: Path) -> bool:
    return folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())


def _make_deletable(function: Callable[..., Any], path: str, _error: object) -> None:
    """An agent may have left folders that nobody may change: they are ours."""
    place = Path(path)
    for folder in (place.parent, place):
        if not folder.is_symlink():
            folder.chmod(stat.S_IRWXU)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, onerror=_give_up)
    else:
        function(path)


def _give_up(_function: Callable[..., Any], _path: str, error: Any) -> None:
    raise error[1]


def _for_people(diff: FileDiff) -> PatchedFile:
    renamed = diff.status == "renamed" and diff.old is not None
    return PatchedFile(
        path=_shown(diff.path),
        status=diff.status,
        added=None if diff.binary else diff.added,
        removed=None if diff.binary else diff.removed,
        old=_shown(diff.old) if renamed and diff.old is not None else None,
    )


def _shown(name: str) -> str:
    """A name that can be written as UTF-8; the patch itself has the true one."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _cannot(what: str, path: Path, error: Exception) -> StorageFailed:
    why = error.why if isinstance(error, GitFailed) else None
    return StorageFailed(
        what, where=str(path), why=why or str(error), hint="free some space, or ask without isolation"
    )
