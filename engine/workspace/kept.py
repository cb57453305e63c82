"""Manifests on disk: each content once for all runs, and for every run the list of those it went by."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from engine.errors import StorageFailed
from engine.record.folder import write_atomically
from engine.workspace.manifest import Manifest

LIST = "manifests.json"
"""The list in a run's folder."""
_FOLDER = "manifests"
_DIGEST = re.compile("[0-9a-f]{64}")
_MOST_BYTES = 1 << 30
"""Some ten million files: more is a file that was made to fill our memory."""
_YOUNG_SECONDS = 86_400
"""A run that has just kept a manifest may not have written down yet that it did."""
_OPEN = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)


class ManifestEntry(BaseModel):
    """A manifest that a run went by, made at a moment in epoch seconds, and how many files it has.

    `after` is the key of the step that wrote in place and made a new manifest necessary; the first has None.
    """

    model_config = ConfigDict(frozen=True, strict=True, defer_build=True)

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    made_at: float
    files: int = Field(ge=0)
    after: str | None = None


class ManifestsDamaged(Exception):
    """A run's list of manifests, or one that it names, cannot be read as what was written."""


def keep_manifest(state: Path, manifest: Manifest) -> None:
    """Keep a manifest in a workspace's `.mco`, unless it is there. StorageFailed when it cannot be written."""
    folder = state / _FOLDER
    path = folder / manifest.digest
    if not _is_own(folder):
        raise StorageFailed(
            "the list of the workspace's files cannot be kept",
            where=str(folder),
            why="it is a link",
            hint="remove the link; mco makes a folder there",
        )
    if not path.exists():
        with suppress(OSError):  # what goes wrong here is told by the file that cannot be written
            folder.mkdir(exist_ok=True)
        write_atomically(path, zlib.compress(manifest.text, 1))


def load_manifest(state: Path, digest: str) -> Manifest | None:
    """The manifest with a digest out of a workspace's `.mco`; None when it is not there or is not what it says."""
    folder = state / _FOLDER
    if not _DIGEST.fullmatch(digest) or not _is_own(folder):
        return None
    try:
        packed = _bytes_of(folder / digest)
        text = zlib.decompressobj().decompress(packed, _MOST_BYTES)
        manifest = Manifest.from_text(text)
    except (OSError, ValueError, zlib.error):
        return None
    return manifest if manifest.text == text and manifest.digest == digest else None


def read_entries(run: Path) -> list[ManifestEntry]:
    """The manifests of a run, in order; none when it needed none. ManifestsDamaged when the list cannot be read."""
    try:
        return TypeAdapter(list[ManifestEntry]).validate_json(_bytes_of(run / LIST))
    except FileNotFoundError:
        return []
    except (OSError, ValidationError) as error:
        raise ManifestsDamaged(str(run / LIST)) from error


def write_entries(run: Path, entries: list[ManifestEntry]) -> None:
    """Replace a run's list. StorageFailed when it cannot be written."""
    lines = ",\n".join(json.dumps(entry.model_dump()) for entry in entries)
    write_atomically(run / LIST, f"[\n{lines}\n]\n")


def unused_manifests(state: Path, now: float) -> list[Path]:
    """The kept manifests that no run names and that are older than a day; none while a run's list is damaged."""
    try:
        named = set(_named(state / "runs"))
    except ManifestsDamaged:
        return []
    if not _is_own(state / _FOLDER):
        return []
    return sorted(path for path in _files(state / _FOLDER) if path.name not in named and _is_old(path, now))


def _named(runs: Path) -> Iterator[str]:
    for run in _files(runs):
        yield from (entry.digest for entry in read_entries(run))


def _is_old(path: Path, now: float) -> bool:
    try:
        return path.lstat().st_mtime < now - _YOUNG_SECONDS
    except OSError:
        return False


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_own(folder: Path) -> bool:
    """Whether it lies where it seems to: a repository may bring a link here, to make us write elsewhere."""
    return not folder.is_symlink()


def _bytes_of(path: Path) -> bytes:
    """A file that may have come with a repository: no link, no pipe, not endless."""
    with open(os.open(path, _OPEN), "rb", buffering=0) as file:  # noqa: PTH123 - by descriptor: no link is followed
        content = file.read(_MOST_BYTES)
    return content or b""
