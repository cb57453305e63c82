"""Finds workflows by name: the project's own, then the user's, then the catalog's. A path is taken as a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.errors import StorageFailed, UnknownWorkflow, UsageError
from engine.text import clean_line
from workflows.places import Places
from workflows.script import Origin, Script

_BUILT_IN = "builtin:"


class Library:
    """The workflows that can be named here. The folders are looked at anew on every call."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def find(self, name: str, folder: Path) -> Script:
        """The script of that name, or that file, seen from `folder`. UnknownWorkflow with the nearest names."""
        if name.startswith(_BUILT_IN):
            return self._pick(name, self._catalog(), name.removeprefix(_BUILT_IN))
        if is_path(name):
            path = _as_path(name, folder)
            return Script(path.stem, path, "file")
        return self._pick(name, {script.name: script for script in self.scripts()}, name)

    def scripts(self) -> list[Script]:
        """Every script that a plain name reaches, by name, each with what it shadows."""
        found: dict[str, list[Script]] = {}
        for script in self._everywhere():
            found.setdefault(script.name, []).append(script)
        return [_on_top(layers) for _, layers in sorted(found.items())]

    def _everywhere(self) -> Iterator[Script]:
        yield from _in_folder(self._places.project_workflows, "project")
        yield from _in_folder(self._places.user_workflows, "user")
        yield from _in_folder(self._places.catalog, "built-in")

    def _catalog(self) -> dict[str, Script]:
        return {script.name: script for script in _in_folder(self._places.catalog, "built-in")}

    def _pick(self, asked: str, scripts: dict[str, Script], name: str) -> Script:
        try:
            return scripts[name]
        except KeyError:
            raise _unknown(asked, name, scripts) from None


def is_path(name: str) -> bool:
    """Whether somebody who writes this means a file rather than a name."""
    separators = [separator for separator in (os.sep, os.altsep, "/") if separator]
    return name.endswith(".py") or any(separator in name for separator in separators)


def _as_path(name: str, folder: Path) -> Path:
    """A path as somebody in `folder` wrote it. UsageError for one that no system knows: scripts write them too."""
    try:
        path = folder / Path(name).expanduser()
    except RuntimeError as error:
        raise UsageError("there is no such path", where=name, why=str(error)) from None
    if "\0" in name:
        raise UsageError("there is no such path", where=clean_line(name), why="it holds a NUL character")
    return path


def _on_top(layers: list[Script]) -> Script:
    first, *hidden = layers
    return Script(first.name, first.path, first.origin, tuple(script.path for script in hidden))


def _in_folder(folder: Path, origin: Origin) -> list[Script]:
    try:
        paths = sorted(folder.glob("*.py"))
    except OSError as error:
        raise StorageFailed(
            "the folder of workflows cannot be read", where=str(folder), why=error.strerror or str(error)
        ) from error
    return [Script(path.stem, path, origin) for path in paths if path.is_file() and path.stem != "__init__"]


def _unknown(asked: str, name: str, known: Iterable[str]) -> UnknownWorkflow:
    names = sorted(known)
    from difflib import get_close_matches  # only a mistake pays for it

    near = get_close_matches(name, names, 3, 0.5)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif names:
        hint = f"there are: {', '.join(names)}"
    else:
        hint = f"make your first with: mco new {name}"
    return UnknownWorkflow(f"there is no workflow named {asked!r}", hint=hint)
