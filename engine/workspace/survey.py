"""Makes a manifest: by git where it knows the folder, else file by file; nothing is followed out of the folder."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread

from engine.workspace.contents import Algorithm, Contents
from engine.workspace.git import GitFailed
from engine.workspace.manifest import COMMIT, STATE, Manifest
from engine.workspace.repository import Tree, read_tree

_DEEPEST = 100
"""Folders inside each other that a walk goes down; beyond that somebody plays with us."""


class Survey(NamedTuple):
    """A manifest, and what people should know about how it was made."""

    manifest: Manifest
    notes: list[str]


async def make_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, from git where it is part of a work tree, else by reading every file."""
    # It only reads, and may be left alone.
    found = await anyio.to_thread.run_sync(survey, folder, abandon_on_cancel=True)
    return found.manifest


def survey(
    folder: Path,
    kept: Path | None = None,
    clock: Callable[[], float] = time.time,
    left_out: Iterable[str] = (),
) -> Survey:
    """The manifest of a folder. `kept` is a file outside it that remembers ids of contents.

    The files that are `left_out`, by their names in the folder, do not count.
    """
    surveyor = _Surveyor(Path(os.path.realpath(folder)), Contents(kept, clock))
    surveyor.look()
    for name in left_out:
        surveyor.files.pop(name, None)
    return Survey(Manifest(surveyor.files), surveyor.notes)


class _Surveyor:
    def __init__(self, root: Path, contents: Contents) -> None:
        self._root = root
        self._contents = contents
        self._real_folders = {"": True}
        self.files: dict[str, str] = {}
        self.notes: list[str] = []

    def look(self) -> None:
        root = self._root
        if not (_in_repository(root) and self._by_git("", ceiling=False)):
            self._walk("")
        self._contents.save()

    def _by_git(self, prefix: str, *, ceiling: bool) -> bool:
        """Add a work tree, or the folder's part of it. False when git does not know it."""
        try:
            tree = read_tree(self._root / prefix, ceiling=ceiling)
        except GitFailed as error:
            place = prefix.rstrip("/") or str(self._root)
            self.notes.append(
                f"git does not read {place} ({error}): every file there counts, ignored ones too"
            )
            return False
        if not any(tree.listed):
            return False  # everything is ignored, as in a build folder: then it is what it is all about
        self._add_index(prefix, tree)
        self._add_changes(prefix, tree)
        for name, commit in tree.listed.submodules.items():
            if _counts(name) and not self._nested(prefix + name):
                self.files[prefix + name] = commit + COMMIT
        return True

    def _add_index(self, prefix: str, tree: Tree) -> None:
        known = tree.listed.files
        if prefix:
            known = {prefix + name: content for name, content in known.items()}
        for name in tree.differing:
            known.pop(prefix + name, None)
        together = "\0".join(known)
        if STATE in together or "../" in together:  # one look for all, because it hardly ever is so
            known = {name: content for name, content in known.items() if _counts(name)}
        if self.files:
            self.files |= known
        else:
            self.files = known

    def _add_changes(self, prefix: str, tree: Tree) -> None:
        for name in (*tree.listed.unsure, *tree.differing, *tree.listed.untracked):
            if not _counts(name):
                continue
            if name.endswith("/"):
                self._nested(prefix + name[:-1])
            elif name not in tree.listed.submodules:
                self._add_file(prefix + name, tree.algorithm, tree.executable(name))

    def _nested(self, name: str) -> bool:
        """Add the files of a repository inside. False when there are none."""
        if not self._is_folder(name):
            return False
        before = len(self.files)
        if not (os.path.lexists(self._root / name / ".git") and self._by_git(f"{name}/", ceiling=True)):
            self._walk(f"{name}/")
        return len(self.files) > before

    def _add_file(self, name: str, algorithm: Algorithm, executable: bool | None) -> None:
        """Add what lies in the work tree under a name that git gave."""
        if not self._is_folder(name.rpartition("/")[0]):
            return
        path = f"{self._root}/{name}"
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            return
        self._add(name, path, status, algorithm, executable)

    def _add(
        self, name: str, path: str, status: os.stat_result, algorithm: Algorithm, executable: bool | None
    ) -> None:
        runs = bool(status.st_mode & stat.S_IXUSR) if executable is None else executable
        content = self._contents.identity(path, status, algorithm, runs)
        if content is not None:
            self.files[name] = content

    def _is_folder(self, name: str) -> bool:
        """Whether a name in the workspace is a folder of it: no link, and reached through none."""
        known = self._real_folders.get(name)
        if known is None:
            above, _, last = name.rpartition("/")
            try:
                known = self._is_folder(above) and stat.S_ISDIR(os.lstat(f"{self._root}/{name}").st_mode)
            except (OSError, ValueError):
                known = False
            self._real_folders[name] = known = known and last not in ("", ".", "..")
        return known

    def _walk(self, prefix: str) -> None:
        """Add every file below a folder; a repository on the way is asked about by git."""
        waiting = [prefix]
        while waiting:
            place = waiting.pop()
            try:
                entries = list(os.scandir(f"{self._root}/{place}"))
            except OSError:
                continue  # nobody may read it: then no agent can either
            waiting += self._add_entries(place, entries)

    def _add_entries(self, place: str, entries: Iterable[os.DirEntry[str]]) -> list[str]:
        """Add the files of one folder, and give the folders in it that are still to be walked."""
        folders: list[str] = []
        for entry in entries:
            name = place + entry.name
            if entry.name in (STATE, ".git"):
                continue
            if entry.is_dir(follow_symlinks=False):
                if not (os.path.lexists(f"{entry.path}/.git") and self._by_git(f"{name}/", ceiling=True)):
                    folders.append(f"{name}/")
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            self._add(name, entry.path, status, "sha1", None)
        return folders if place.count("/") < _DEEPEST else []


def _counts(name: str) -> bool:
    """Whether a name that git gave is one of the workspace's: what mco keeps is not, wherever it lies."""
    return (STATE not in name and "../" not in name) or {STATE, ".."}.isdisjoint(name.split("/"))


def _in_repository(folder: Path) -> bool:
    return any(os.path.lexists(place / ".git") for place in (folder, *folder.parents))
