"""Manifests: one text and one digest for the same files, and what differs between two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.workspace.changes import changed_names, describe
from engine.workspace.manifest import Manifest

names = st.text(st.characters(exclude_characters="\0"), min_size=1)
contents = st.sampled_from(["a" * 40, "b" * 40, "c" * 64, "a" * 40 + "+x", "a" * 40 + "@", "a" * 40 + "/"])
manifests = st.dictionaries(names, contents, max_size=8).map(Manifest)


@given(manifests)
def test_a_manifest_reads_back_as_it_was_written(manifest: Manifest):
    again = Manifest.from_text(manifest.text)
    assert again.files == manifest.files
    assert again.digest == manifest.digest
    assert Manifest(dict(sorted(manifest.files.items(), reverse=True))).text == manifest.text


@given(manifests, manifests)
def test_two_manifests_have_one_digest_only_if_they_have_the_same_files(one: Manifest, other: Manifest):
    assert (one.digest == other.digest) is (one.files == other.files)


def test_the_digest_is_the_same_on_every_machine():
    files = {
        "src/a.py": "1" * 40,
        "caf\u00e9": "2" * 40 + "+x",
        "no\udcffutf": "3" * 40 + "@",
        "new\nline": "4" * 64,
    }
    expected = "8c3f5329533e6e44fe7f604bc08171ff573b4c9c7d6f51a9ce53bd28b072f553"
    assert (
        Manifest(files).digest
        == Manifest(files).fingerprint(None)
        == Manifest(files).fingerprint(("**",))
        == expected
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"mco-manifest 2\0",
        b"mco-manifest 1\0x",
        b"mco-manifest 1\0x\0",
        b"mco-manifest 1\0 n\0",
        b"\xff",
    ],
)
def test_what_is_no_manifest_is_not_read_as_one(text: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 - undecodable bytes are one too
        Manifest.from_text(text)


@pytest.mark.parametrize(
    ("reads", "changes"),
    [
        (None, True),
        (("src/**",), True),
        (("docs/",), False),
        (("*.py", "!src/a.py"), False),
        (("a.py",), True),
    ],
)
def test_only_what_is_read_changes_a_fingerprint(reads: tuple[str, ...] | None, changes: bool):
    before = Manifest({"src/a.py": "1", "docs/x.md": "1"})
    after = Manifest({"src/a.py": "2", "docs/x.md": "1"})
    assert (before.fingerprint(reads) != after.fingerprint(reads)) is changes


def test_what_differs_is_told_by_name():
    old = Manifest({"src/a": "1", "src/b": "1", "src/c": "1", "x": "1"})
    new = Manifest({"src/a": "2", "src/c": "1", "src/d": "1", "x": "2"})
    assert changed_names(old, new) == {"added": ["src/d"], "changed": ["src/a", "x"], "removed": ["src/b"]}
    assert changed_names(old, new, ("src/",)) == {
        "added": ["src/d"],
        "changed": ["src/a"],
        "removed": ["src/b"],
    }
    assert changed_names(old, old) == {"added": [], "changed": [], "removed": []}


def test_what_differs_is_one_line_for_people():
    old = Manifest({"gone\x1b[31m": "1"})
    new = Manifest({f"file-{number}": "1" for number in range(1, 6)})
    assert describe(changed_names(old, new)) == "added: file-1, file-2, file-3 and 2 more; removed: gone"
    assert describe(changed_names(old, old)) == ""
