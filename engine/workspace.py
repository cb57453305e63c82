"""What agents read: the files of a folder, by name and content, so that an answer can be tied to them.

Where git knows the folder, its index says what unchanged files hold; only changed and untracked ones are read.
Contents are named as git names blobs, so committing a change alters nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import anyio
import anyio.to_thread

from engine.errors import UsageError
from engine.step import Step, digest_of

STATE = ".mco"
"""Our own folder in a workspace; never part of what an agent's answer depends on."""
# A repository's own settings may name programs to run; none of them is needed to read an index.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false", "--no-optional-locks")


class Manifest:
    """The files of a workspace: relative path (with `/`) to the id of its content."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self._known: dict[tuple[str, ...], str] = {}

    def fingerprint(self, reads: tuple[str, ...] | None) -> str:
        """SHA-256 (hex) over the files that `reads` names, by git's ignore patterns; None means all of them."""
        patterns = ("**",) if reads is None else reads
        if patterns not in self._known:
            self._known[patterns] = self._digest(patterns)
        return self._known[patterns]

    def _digest(self, patterns: tuple[str, ...]) -> str:
        names: Iterable[str] = self.files
        if patterns != ("**",):
            names = self._matching(patterns)
        return digest_of("".join(f"{name}\0{self.files[name]}\n" for name in sorted(names)))

    def _matching(self, patterns: tuple[str, ...]) -> list[str]:
        from pathspec import GitIgnoreSpec  # 25 ms that only runs with patterns pay

        # Patterns and names are other people's: RE2 takes linear time, where Python's own engine could take for ever.
        spec = GitIgnoreSpec.from_lines(patterns, backend="re2")
        return [name for name in self.files if spec.match_file(_in_utf8(name))]


def _in_utf8(name: str) -> str:
    """A file's name for a pattern to look at; bytes that are no UTF-8 match what matches any character."""
    return name if name.isascii() else name.encode(errors="surrogateescape").decode(errors="replace")


async def make_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, from git where it is part of a work tree, else by reading every file."""
    return await anyio.to_thread.run_sync(_manifest, folder, abandon_on_cancel=True)  # it only reads


def _manifest(folder: Path) -> Manifest:
    files = _from_git(folder)
    if files is None:
        files = dict(_read(folder, _walk(folder)))
    return Manifest({name: identity for name, identity in files.items() if name.split("/", 1)[0] != STATE})


def _from_git(folder: Path) -> dict[str, str] | None:
    staged = _git(folder, "ls-files", "--stage", "-z")
    if staged is None:
        return None
    files: dict[str, str] = {}
    for entry in staged:
        facts, _, name = entry.partition("\t")
        files[name] = facts.split(" ")[1]
    changed = _git(folder, "diff-files", "--name-only", "--relative", "--ignore-submodules=all", "-z") or []
    untracked = _git(folder, "ls-files", "--others", "--exclude-standard", "-z") or []
    for name in changed:
        files.pop(name, None)
    files.update(_read(folder, {*changed, *untracked}))
    return files


def _git(folder: Path, *arguments: str) -> list[str] | None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [*_GIT, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        return None  # no git on this machine: the folder is walked
    if done.returncode != 0:
        return None
    return [name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name]


def _walk(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (STATE, ".git"))
        linked = [name for name in folders if Path(place, name).is_symlink()]
        for name in [*names, *linked]:
            yield Path(place, name).relative_to(folder).as_posix()


def _read(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        identity = _identity(folder / name)
        if identity is not None:
            yield name, identity


def _identity(path: Path) -> str | None:
    """The id git gives this content. A link stands for its text: it is never followed out of the workspace."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return _blob(os.fsencode(path.readlink()))
        return _blob(path.read_bytes()) if stat.S_ISREG(mode) else None
    except OSError:
        return None  # it went away, or nobody may read it: then no agent can either


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def resolve_inside(workspace: Path, target: str) -> Path:
    """The absolute path of a target, links followed. UsageError when it is not there or leaves the workspace."""
    root = workspace.resolve()
    try:
        path = (root / target).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise UsageError(f"the target {target!r} does not exist", where=str(root)) from None
    if path != root and root not in path.parents:
        raise UsageError(
            f"the target {target!r} leaves the workspace",
            where=str(root),
            hint="start mco in the folder that holds it",
        )
    return path


class WorkspaceFingerprints:
    """The fingerprints of one run's steps, over a manifest that is made when a step needs one and none is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest: Manifest | None = None
        self._changes = 0
        self._making = anyio.Lock()

    def known(self, step: Step) -> bool:
        """Whether `of` can answer at once: the manifest is there, or the step reads nothing."""
        return self._manifest is not None or step.reads == ()

    def of(self, step: Step) -> str | None:
        """The fingerprint of what a step reads; None when it reads nothing. `prepare` comes before."""
        if step.reads == ():
            return None
        if self._manifest is None:
            raise RuntimeError("the manifest was not made")
        return self._manifest.fingerprint(step.reads)

    def forget(self) -> None:
        """A step may have changed files: what they hold must be looked at again."""
        self._manifest = None
        self._changes += 1

    async def prepare(self) -> None:
        """Make the manifest, unless it is there."""
        async with self._making:
            while self._manifest is None:
                changes = self._changes
                manifest = await make_manifest(self._folder)
                if changes == self._changes:  # nobody wrote while it was made
                    self._manifest = manifest
