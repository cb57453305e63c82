"""`reads` patterns mean what git means by them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.workspace.manifest import Manifest
from engine.workspace.patterns import check_patterns, names_that_match

# `a**` is left out: git up to 2.41 reads it by chance, from memory before the pattern.
_ATOMS = [
    "a", "b", "src", "*.py", "*", "**", "?", "a.py", "lib", "A", "[ab]", "[!a]", "[^a]", "[a-z]*", "s*", "*b", ".*",
    "\\!n", "\\#", "x#", "é", "[é]", "b?", "*.*", "!n", " s", "\\ s", "\\*", "a b\\ ", "a\\  ", "[[]c]", "\\[c\\]",
    "[]a]", "[a-]", "[--0]", "[a-c-e]", "[!]]", "[[:digit:]x]", "[[:alpha:]]", "\\b", "\\\\b", "[\\\\]a]", "#", "",
]  # fmt: skip
_PARTS = [
    "a",
    "b",
    "src",
    "a.py",
    "b.txt",
    ".hid",
    "A",
    "lib",
    "é",
    " s",
    "x#",
    "!n",
    "a b ",
    "\\b",
    "[c]",
    "a*",
    "-",
]

patterns = st.builds(
    lambda takes_back, root, atoms, folder: takes_back + root + "/".join(atoms) + folder,
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(st.sampled_from(_ATOMS), min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
).filter(lambda pattern: pattern.lstrip("!").strip("/"))  # what names nothing is refused
names = st.lists(st.sampled_from(_PARTS), min_size=1, max_size=4).map("/".join)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patterns")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def ignored(folder: Path, patterns: list[str], names: list[str]) -> set[str]:
    """What git ignores by the patterns."""
    (folder / "patterns").write_text("\n".join(patterns) + "\n", encoding="utf-8")
    command = ["git", "-c", f"core.excludesFile={folder / 'patterns'}", "-c", "core.ignoreCase=false"]
    done = subprocess.run(
        [*command, "check-ignore", "--no-index", "--verbose", "--non-matching", "-z", "--stdin"],
        cwd=folder, input="\0".join(names).encode(), capture_output=True, check=False,
    )  # fmt: skip
    fields = done.stdout.decode().split("\0")[:-1]
    assert len(fields) == 4 * len(names)
    said = zip(fields[2::4], fields[3::4], strict=True)
    return {name for pattern, name in said if pattern and not pattern.startswith("!")}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(patterns=st.lists(patterns, min_size=1, max_size=4), names=st.sets(names, min_size=5, max_size=40))
def test_patterns_choose_what_git_would_ignore(empty: Path, patterns: list[str], names: set[str]):
    files = sorted(name for name in names if not any(other.startswith(f"{name}/") for other in names))
    assert set(names_that_match(tuple(patterns), files)) == ignored(empty, patterns, files)


@pytest.mark.parametrize(
    ("reads", "chosen"),
    [
        (["src"], "src/a.py src/deep/b.py deep/src/c.py"),
        (["/src"], "src/a.py src/deep/b.py"),
        (["src/"], "src/a.py src/deep/b.py deep/src/c.py"),
        (["src/*.py"], "src/a.py"),
        (["src/**"], "src/a.py src/deep/b.py"),
        (["src/**/b.py"], "src/deep/b.py"),
        (["**/src/*.py"], "src/a.py deep/src/c.py"),
        (["*.py", "!src/**"], "deep/src/c.py"),
        (["src", "!src/a.py"], "src/a.py src/deep/b.py deep/src/c.py"),
        (["src/*", "!src/a.py"], "src/deep/b.py"),
        (["SRC"], ""),
        (["a.py/"], ""),
        (["src/**/"], "src/deep/b.py"),
        (["# src", ""], ""),
        (["[a-c].py"], "src/a.py src/deep/b.py deep/src/c.py"),
        (["*"], "src/a.py src/deep/b.py deep/src/c.py x"),
    ],
)
def test_what_the_reference_says_of_patterns(empty: Path, reads: list[str], chosen: str):
    files = ["src/a.py", "src/deep/b.py", "deep/src/c.py", "x"]
    assert sorted(names_that_match(tuple(reads), files)) == sorted(chosen.split())
    assert ignored(empty, reads, files) == set(chosen.split())


@pytest.mark.parametrize(
    "reads", [["src/[ab"], ["a\\"], ["[[:vowel:]]"], ["ok", "[z-"], ["[z-a]"], ["!"], ["/"]]
)
def test_a_pattern_that_can_match_nothing_is_refused(reads: list[str]):
    with pytest.raises(ValueError, match=r"is no pattern like those of \.gitignore"):
        check_patterns(reads)


def test_patterns_that_are_too_much_together_are_refused():
    with pytest.raises(ValueError, match="too much to be matched; name folders instead"):
        check_patterns(["*a" * 500] * 100)


def test_a_pattern_that_would_backtrack_for_ever_is_matched_at_once():
    files = {"x/" + "a" * 200 + str(number): "id" for number in range(50)}
    assert Manifest(files).part(("**/" + "*a" * 12 + "b",)).files == {}


def test_a_name_that_is_no_utf_8_is_matched_byte_by_byte():
    files = ["a\udcff.py", "b.txt"]
    assert list(names_that_match(("*.py",), files)) == ["a\udcff.py"]
    assert list(names_that_match(("a?.py",), files)) == ["a\udcff.py"]


def test_a_submodule_that_is_not_there_is_matched_as_a_folder():
    files = {"lib": "1" * 40 + "/", "lib.py": "2" * 40}
    assert Manifest(files).part(("lib/",)).files == {"lib": files["lib"]}
