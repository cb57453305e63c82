"""Workflows by name: which folder wins, what it hides, and what a path means."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UnknownWorkflow, UsageError
from workflows.library import Library, is_path
from workflows.places import Places, find_workspace
from workflows.script import MAXIMUM_BYTES, Meta, Script


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(
        tmp_path / "w", tmp_path / "user", tmp_path / "cache", tmp_path / "state", tmp_path / "catalog"
    )
    for folder in (places.project_workflows, places.user_workflows, places.catalog):
        folder.mkdir(parents=True)
    return places


def _put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.py").write_text(name)


def test_the_project_wins_over_the_user_and_the_user_over_the_catalog(places: Places) -> None:
    _put(places.catalog, "a", "b", "c")
    _put(places.user_workflows, "a", "b")
    _put(places.project_workflows, "a")

    found = {script.name: script for script in Library(places).scripts()}
    assert {name: script.origin for name, script in found.items()} == {
        "a": "project",
        "b": "user",
        "c": "built-in",
    }
    assert found["a"].shadows == (places.user_workflows / "a.py", places.catalog / "a.py")
    assert found["c"].shadows == ()


def test_builtin_names_the_catalogs_even_when_it_is_hidden(places: Places) -> None:
    _put(places.catalog, "a")
    _put(places.project_workflows, "a")

    assert Library(places).find("builtin:a", places.workspace).path == places.catalog / "a.py"


def test_a_path_is_a_file_seen_from_where_one_stands(places: Places, tmp_path: Path) -> None:
    script = Library(places).find("sub/flow.py", tmp_path)

    assert (script.path, script.origin, script.name) == (tmp_path / "sub" / "flow.py", "file", "flow")


def test_what_is_a_path_and_what_a_name() -> None:
    assert [is_path(name) for name in ("a.py", "./a", "b/c", "a", "builtin-a")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("revew", "did you mean review?"),
        ("zzz", "there are: deep, review"),
        ("builtin:revie", "did you mean review?"),
    ],
)
def test_an_unknown_name_says_what_there_is(places: Places, asked: str, hint: str) -> None:
    _put(places.catalog, "review", "deep")

    with pytest.raises(UnknownWorkflow) as caught:
        Library(places).find(asked, places.workspace)
    assert caught.value.hint == hint
    assert repr(asked) in caught.value.what


def test_folders_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    library = Library(Places(tmp_path / "w", tmp_path / "u", tmp_path / "c", tmp_path / "s", tmp_path / "k"))

    assert library.scripts() == []
    with pytest.raises(UnknownWorkflow) as caught:
        library.find("mine", tmp_path)
    assert caught.value.hint == "make your first with: mco new mine"


def test_a_script_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.py"
    path.write_bytes(b"#" * (MAXIMUM_BYTES + 1))

    with pytest.raises(UsageError, match="larger than 1 MiB"):
        Script("big", path, "file").read()


def test_a_device_is_no_script() -> None:
    device = Path("/dev/zero")
    if not device.exists():
        pytest.skip("there is no /dev/zero here")

    with pytest.raises(UsageError, match="not a regular file"):
        Script("zero", device, "file").read()


def test_meta_from_a_worker_is_cleaned_and_never_trusted() -> None:
    meta = Meta.of({"name": "a\x1b[31m", "description": ["x"], "phases": [1, {"title": "P\n"}], "args": "no"})

    assert (meta.name, meta.description, meta.args) == ("a", "['x']", None)
    assert [phase.title for phase in meta.phases] == ["P"]


@pytest.mark.parametrize("marker", [".mco", ".git"])
def test_the_workspace_is_the_nearest_folder_with_a_marker(tmp_path: Path, marker: str) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / marker).mkdir()

    assert find_workspace(inner, Path("/nowhere")) == tmp_path / "a"


def test_without_a_marker_the_workspace_is_where_one_stands(tmp_path: Path) -> None:
    assert find_workspace(tmp_path, tmp_path.parent) == tmp_path


def test_a_marker_in_the_home_folder_does_not_claim_all_of_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "code"
    inner.mkdir()

    assert find_workspace(inner, tmp_path) == inner
    assert find_workspace(tmp_path, tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["a\0.py", "~nobody-of-that-name/a.py"])
def test_a_path_that_no_system_knows_is_said(places: Places, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no such path"):
        Library(places).find(name, tmp_path)
