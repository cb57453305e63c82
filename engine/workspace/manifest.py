"""A manifest: every file that counts, by name and content, in one canonical text with one digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property

from engine.workspace.patterns import EVERYTHING, names_that_match

STATE = ".mco"
"""Our own folder in a workspace; never part of what an agent's answer depends on."""
EXECUTABLE, LINK, COMMIT = "+x", "@", "/"
"""Stand behind an id: a program, a link (the id is that of its text), a submodule that is not checked out."""
_HEAD = "mco-manifest 1\0"


class Manifest:
    """The files of a workspace: relative path (with `/`) to the id of its content, as git names blobs, and a mark.

    Names that are no UTF-8 hold surrogates, as Python reads them.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self._known: dict[tuple[str, ...], str] = {}

    @cached_property
    def text(self) -> bytes:
        """The canonical form: `ID NAME` records in the order of names, each ended by a NUL; names are UTF-8."""
        files = self.files
        return (_HEAD + "".join([f"{files[name]} {name}\0" for name in sorted(files)])).encode(
            errors="surrogatepass"
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the text."""
        return hashlib.sha256(self.text).hexdigest()

    @classmethod
    def from_text(cls, text: bytes) -> Manifest:
        """The manifest of a text. ValueError when it is none."""
        head, separator, body = text.decode(errors="surrogatepass").partition("\0")
        records = body.split("\0")
        if head + separator != _HEAD or records.pop() != "":
            raise ValueError("this is no manifest")
        files: dict[str, str] = {}
        for record in records:
            identity, space, name = record.partition(" ")
            if not (identity and space and name):
                raise ValueError("this is no manifest")
            files[name] = identity
        return cls(files)

    def fingerprint(self, reads: tuple[str, ...] | None) -> str:
        """The digest of the files that `reads` names, by git's ignore patterns; None means all of them."""
        patterns = (EVERYTHING,) if reads is None else reads
        if patterns not in self._known:
            everything = patterns == (EVERYTHING,)
            self._known[patterns] = self.digest if everything else self.part(patterns).digest
        return self._known[patterns]

    def part(self, reads: tuple[str, ...]) -> Manifest:
        """The files that `reads` names, alone."""
        files = self.files
        as_folders = {f"{name}/": name for name, identity in files.items() if identity.endswith(COMMIT)}
        names = [f"{name}/" if f"{name}/" in as_folders else name for name in files] if as_folders else files
        chosen = (as_folders.get(name, name) for name in names_that_match(reads, names))
        return Manifest({name: files[name] for name in chosen})
