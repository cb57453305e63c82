"""One work tree as git sees it: what the index says, what differs from it, what is untracked and not ignored."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from engine.workspace.contents import Algorithm
from engine.workspace.git import Git, Running, Setting
from engine.workspace.manifest import EXECUTABLE, LINK

_PLAIN = "H 100644 "
_MARKS = {"100644": "", "100755": EXECUTABLE, "120000": LINK}
_SUBMODULE = "160000"
_BY_NAME = ("--name-only", "--relative", "--no-renames", "--ignore-submodules=all")


class Listing(NamedTuple):
    """A listing: ids with their marks by name, the commits of submodules, and names that the index may not know."""

    files: dict[str, str]
    submodules: dict[str, str]
    unsure: list[str]
    """Conflicted, or marked as not to be looked at: what lies in the work tree counts."""
    untracked: list[str]
    """And not ignored; a repository inside ends with `/`."""


class Tree(NamedTuple):
    """A work tree: what is listed of it, and the names that differ from the index and are to be looked at."""

    listed: Listing
    differing: list[str]
    algorithm: Algorithm
    executable_bits: bool
    programs: frozenset[str]
    """Those that differ and are executable by the index, asked for only where the work tree's own bits say nothing."""

    def executable(self, name: str) -> bool | None:
        """Whether a name that differs is executable; None: the work tree says it."""
        return None if self.executable_bits else name in self.programs


class _Configuration(NamedTuple):
    algorithm: Algorithm
    executable_bits: bool
    filters_off: list[Setting]


def read_tree(folder: Path, *, ceiling: bool) -> Tree:
    """The work tree at a folder, or of the folder's part of it. GitFailed when git does not read it.

    With `ceiling` the folder itself has to be the repository.
    """
    git = Git(folder, ceiling=ceiling)
    with ExitStack() as opened:

        def start(git: Git, *arguments: str) -> Running:
            return opened.enter_context(closing(git.start(*arguments)))

        # Two listings, though one could do both: this one is there, and read, while the other still looks around.
        listed = start(git, "ls-files", "--stage", "-v", "-z")
        untracked = start(git, "ls-files", "--others", "--exclude-standard", "-z")
        configuration = _configuration(start(git, "config", "--list", "-z").output())
        # git would run a filter to compare a file that is as young as the index.
        unfiltered = git.with_settings(configuration.filters_off)
        changed = start(unfiltered, "diff-files", *_BY_NAME, "-z")
        listing = _listing(listed.output(whole=True))
        listing.untracked.extend(_names(untracked.output(whole=True)))
        differing = _names(changed.output())
    bits = configuration.executable_bits
    programs = (
        () if bits else (name for name in differing if listing.files.get(name, "").endswith(EXECUTABLE))
    )
    return Tree(listing, differing, configuration.algorithm, bits, frozenset(programs))


def _configuration(output: bytes) -> _Configuration:
    algorithm: Algorithm = "sha1"
    executable_bits = True
    filters: list[Setting] = []
    for entry in output.decode("utf-8", "surrogateescape").split("\0"):
        name, _, value = entry.partition("\n")
        if name.startswith("filter."):
            filters.append((name, "false" if name.endswith(".required") else ""))
        elif name == "core.filemode":
            executable_bits = value.lower() not in ("false", "no", "off", "0")
        elif name == "extensions.objectformat" and value == "sha256":
            algorithm = "sha256"
    return _Configuration(algorithm, executable_bits, list(dict.fromkeys(filters)))


def _names(output: bytes) -> list[str]:
    return output.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _listing(output: bytes) -> Listing:
    """Reads `TAG MODE ID STAGE<tab>NAME` records; plain files, nearly all of them, at once."""
    entries = _names(output)
    width = entries[0].index("\t") if entries else 0
    start, stop, name = len(_PLAIN), width - 2, width + 1
    files = {entry[name:]: entry[start:stop] for entry in entries if entry[:start] == _PLAIN}
    listing = Listing(files, {}, [], [])
    if len(files) < len(entries):
        for entry in entries:
            if entry[:start] != _PLAIN:
                _add(listing, tag=entry[0], mode=entry[2:8], content=entry[start:stop], name=entry[name:])
    return listing


def _add(listing: Listing, *, tag: str, mode: str, content: str, name: str) -> None:
    if mode == _SUBMODULE:
        listing.submodules[name] = content
        return
    if tag == "M":
        listing.unsure.append(name)
        return
    listing.files[name] = content + _MARKS.get(mode, "")
    if tag == "S" or tag.islower():
        listing.unsure.append(name)
