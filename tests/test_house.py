"""The rules of the house that no other tool checks: sizes, names, the map, what must never be committed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 300
# A workflow script holds its prompts and schemas, and cannot be cut in two: it imports nothing of ours.
LONGEST_SCRIPT = 450
VAGUE_NAMES = {"base_utils", "common", "helper", "helpers", "misc", "shared", "types", "util", "utils"}
HIDDEN_BUT_OURS = {".ci", ".editorconfig", ".gitignore"}
MADE_BY_TOOLS = {"__pycache__", "build", "dist"}
# Written in two halves, so that this file passes its own test.
UNFINISHED = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", ".lib" + "rary/"]


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def committed_files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS
        if hidden or path.name in MADE_BY_TOOLS or path.is_symlink():
            continue
        if path.is_dir():
            yield from committed_files(path)
        elif path.suffix != ".lock":
            yield path


def rooms() -> Iterator[str]:
    """Every package, and every module that stands beside packages, as the map names them."""
    for package in ("engine", "workflows"):
        for path in sorted((ROOT / package).iterdir()):
            if (path / "__init__.py").is_file():
                yield f"{package}/{path.name}/"
            elif path.suffix == ".py" and path.name != "__init__.py":
                yield f"{package}/{path.name}"


@pytest.mark.parametrize("path", python_files("engine", "workflows"), ids=lambda path: path.name)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert lines_of(path) <= LONGEST_MODULE


@pytest.mark.parametrize("path", python_files("catalog", "examples"), ids=lambda path: path.name)
def test_a_script_can_be_read_in_one_sitting(path: Path) -> None:
    assert lines_of(path) <= LONGEST_SCRIPT


def test_no_module_has_a_vague_name() -> None:
    assert [path for path in python_files("engine", "workflows") if path.stem in VAGUE_NAMES] == []


@pytest.mark.parametrize("room", list(rooms()))
def test_every_room_is_on_the_map(room: str) -> None:
    assert f"`{room}`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_room_on_the_map_is_there() -> None:
    named = {
        line.split("`")[1]
        for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(("| `engine/", "| `workflows/"))
    }
    assert named
    assert sorted(named - set(rooms()) - {"engine/", "workflows/"}) == []


@pytest.mark.parametrize("path", python_files("engine", "workflows"), ids=lambda path: path.name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("words", [UNFINISHED, MACHINE_PATHS], ids=["unfinished", "of one machine"])
def test_nothing_is_committed_that_is(words: list[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in committed_files()
        for word in words
        if word in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []


@pytest.mark.parametrize("package", ["engine", "engine.sandbox", "workflows"])
def test_a_package_imports_nothing_by_being_imported(package: str) -> None:
    """The worker and `mco --help` start quickly only while this holds."""
    code = f"import sys; before = set(sys.modules); import {package}; print(*set(sys.modules) - before)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(found) <= {"engine", "engine.sandbox", "workflows"}


@pytest.mark.parametrize("door", sorted(entry_points(group="mco.providers")), ids=lambda door: door.name)
def test_every_provider_enters_by_its_entry_point(door: EntryPoint) -> None:
    assert callable(door.load())


def test_the_built_in_providers_are_registered() -> None:
    assert {"builtin", "command", "fake"} <= {door.name for door in entry_points(group="mco.providers")}
