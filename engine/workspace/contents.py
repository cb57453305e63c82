"""The ids of contents, as git names blobs; what `lstat` says is remembered, so that nothing is read twice."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from engine.workspace.manifest import EXECUTABLE, LINK

Algorithm = Literal["sha1", "sha256"]
_CHUNK = 1 << 20
_SETTLED_NANOSECONDS = 2_000_000_000
"""A file this young may change again without its times showing it; the coarsest file systems count in two seconds."""
_HEAD = b"mco-contents 1 "
_MOST_BYTES = 1 << 30
_OPEN = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)


class Contents:
    """Gives the ids of files. `file` keeps them for the next time; it lies outside the workspace, None keeps nothing.

    A kept id counts while size, times and inode are what they were and the file was left alone for a while before
    it was read: git's rule for its index. `clock` is epoch seconds.
    """

    def __init__(self, file: Path | None, clock: Callable[[], float]) -> None:
        self._file = file
        self._settled = int(clock() * 1e9) - _SETTLED_NANOSECONDS
        self._kept = {} if file is None else _load(file)
        self._used: dict[str, str] = {}

    def identity(
        self, path: str, status: os.stat_result, algorithm: Algorithm, executable: bool
    ) -> str | None:
        """The id of what lies at a path, with its mark; None for what is no file, went away or cannot be read."""
        if stat.S_ISLNK(status.st_mode):
            try:
                return _blob(os.fsencode(os.readlink(path)), algorithm) + LINK  # noqa: PTH115 - the text, not a path
            except OSError:
                return None
        if not stat.S_ISREG(status.st_mode):
            return None
        content = self._content(path, status, algorithm)
        return content + EXECUTABLE if content is not None and executable else content

    def _content(self, path: str, status: os.stat_result, algorithm: Algorithm) -> str | None:
        facts = f"{algorithm} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} "
        kept = self._kept.get(path, "")
        if kept.startswith(facts):
            self._used[path] = kept
            return kept[len(facts) :]
        try:
            content = _read(path, algorithm)
        except OSError:
            return None  # it went away, or nobody may read it: then no agent can either
        if content is not None and max(status.st_mtime_ns, status.st_ctime_ns) < self._settled:
            self._used[path] = facts + content
        return content

    def save(self) -> None:
        """Keep what was used this time. What cannot be written is found out again the next time."""
        if self._file is None or self._used == self._kept:
            return
        body = "".join([f"{path}\0{facts}\0" for path, facts in self._used.items()]).encode(
            errors="surrogatepass"
        )
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, draft = tempfile.mkstemp(dir=self._file.parent)
            try:
                with os.fdopen(descriptor, "wb") as out:
                    out.write(_HEAD + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
                Path(draft).replace(self._file)
            except OSError:
                Path(draft).unlink(missing_ok=True)
                raise


def _load(file: Path) -> dict[str, str]:
    """What was kept, nothing where that is damaged: a torn file is not worth a question."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            return {}
        head, _, body = file.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if head != _HEAD + hashlib.sha256(body).hexdigest().encode():
        return {}
    fields = body.decode(errors="surrogatepass").split("\0")
    return dict(zip(fields[:-1:2], fields[1::2], strict=True))


def _blob(content: bytes, algorithm: Algorithm) -> str:
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _read(path: str, algorithm: Algorithm) -> str | None:
    """The id of a file's bytes, piece by piece; None when what lies there by now is no file."""
    with open(os.open(path, _OPEN), "rb", buffering=0) as file:  # noqa: PTH123 - by descriptor: a link is not followed
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        digest = hashlib.new(algorithm, b"blob %d\0" % status.st_size, usedforsecurity=False)
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()
