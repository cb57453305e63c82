"""Manifests on disk: written once, believed only when they are what their name says."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.workspace.kept import (
    LIST,
    ManifestEntry,
    ManifestsDamaged,
    keep_manifest,
    load_manifest,
    read_entries,
    unused_manifests,
    write_entries,
)
from engine.workspace.manifest import Manifest

MANIFEST = Manifest({"a.py": "1" * 40, "no\udcffutf": "2" * 40})
DAY = 86_400


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / ".mco"
    (folder / "runs" / "one").mkdir(parents=True)
    return folder


def test_a_kept_manifest_is_read_back_and_written_once(state: Path):
    keep_manifest(state, MANIFEST)
    (path,) = (state / "manifests").iterdir()
    os.utime(path, (1, 1))
    keep_manifest(state, MANIFEST)
    assert path.stat().st_mtime == 1
    loaded = load_manifest(state, MANIFEST.digest)
    assert loaded is not None
    assert loaded.files == MANIFEST.files


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        zlib.compress(Manifest({"b.py": "1" * 40}).text),
        zlib.compress(MANIFEST.text)[:-8],
        zlib.compress(b"mco-manifest 1\0" + b"0" * 1000),
    ],
)
def test_a_damaged_or_foreign_manifest_is_none(state: Path, content: bytes):
    keep_manifest(state, MANIFEST)
    (state / "manifests" / MANIFEST.digest).write_bytes(content)
    assert load_manifest(state, MANIFEST.digest) is None


@pytest.mark.parametrize("digest", ["", "..", "../runs/one/manifests.json", "A" * 64, "0" * 64])
def test_a_name_that_is_no_digest_or_not_there_is_none(state: Path, digest: str):
    assert load_manifest(state, digest) is None


def test_a_manifest_is_neither_written_nor_read_through_a_link(state: Path, tmp_path: Path):
    keep_manifest(state, MANIFEST)
    path = state / "manifests" / MANIFEST.digest
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert load_manifest(state, MANIFEST.digest) is None
    path.unlink()
    (state / "manifests").rmdir()
    (tmp_path / "outside").mkdir()
    (state / "manifests").symlink_to(tmp_path / "outside")
    with pytest.raises(StorageFailed, match="cannot be kept"):
        keep_manifest(state, MANIFEST)
    assert list((tmp_path / "outside").iterdir()) == []


def test_the_list_of_a_run_keeps_its_order(state: Path):
    entries = [
        ManifestEntry(digest=MANIFEST.digest, made_at=1.5, files=2, after=None),
        ManifestEntry(digest="0" * 64, made_at=2.0, files=0, after="key"),
    ]
    write_entries(state / "runs" / "one", entries)
    assert read_entries(state / "runs" / "one") == entries
    assert read_entries(state / "runs" / "none") == []


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"digest": "../x", "made_at": 1, "files": 1}]', "[{}]"])
def test_a_damaged_list_is_told_apart_from_none(state: Path, text: str):
    (state / "runs" / "one" / LIST).write_text(text)
    with pytest.raises(ManifestsDamaged):
        read_entries(state / "runs" / "one")


def test_manifests_that_no_run_names_are_unused_when_they_are_old(state: Path):
    other = Manifest({"b": "3" * 40})
    for manifest in (MANIFEST, other):
        keep_manifest(state, manifest)
    unnamed = state / "manifests" / other.digest
    write_entries(state / "runs" / "one", [ManifestEntry(digest=MANIFEST.digest, made_at=0, files=2)])
    written = unnamed.stat().st_mtime
    assert unused_manifests(state, written + DAY / 2) == []
    assert unused_manifests(state, written + 2 * DAY) == [unnamed]
    (state / "runs" / "one" / LIST).write_text("torn")
    assert unused_manifests(state, written + 2 * DAY) == []
    assert unused_manifests(state / "nowhere", 0) == []
