"""A workflow's script: where it was found, its bytes, and what its `meta` says of it. It is never parsed here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from engine.errors import UsageError
from engine.text import clean_line

Origin = Literal["project", "user", "built-in", "file"]

MAXIMUM_BYTES = 1024 * 1024


class Script(NamedTuple):
    """A script file. `shadows` are the files of the same name that it hides."""

    name: str
    path: Path
    origin: Origin
    shadows: tuple[Path, ...] = ()

    def is_foreign(self) -> bool:
        """Whether its file, or the folder it really lies in, belongs to another user (root and mco itself aside)."""
        if self.origin == "built-in" or not hasattr(os, "getuid"):
            return False
        path = self.path.resolve()
        return any(where.stat().st_uid not in (os.getuid(), 0) for where in (path, path.parent))

    def read(self) -> bytes:
        """The file's bytes, whatever they are. UsageError when there are none to read, or too many."""
        return _read(self.path)


class Phase(NamedTuple):
    """A phase that `meta` announces."""

    title: str
    detail: str = ""


class Meta(NamedTuple):
    """What a script says of itself, as its worker reported it: cleaned, since a worker may say anything."""

    name: str
    description: str
    phases: tuple[Phase, ...]
    args: Mapping[str, Any] | None
    """The JSON Schema of its arguments; None takes any."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Meta:
        """The `meta` of a loaded script."""
        args = raw.get("args")
        return cls(
            name=clean_line(str(raw.get("name", ""))),
            description=clean_line(str(raw.get("description", "")), 500),
            phases=tuple(_phases(raw.get("phases"))),
            args=cast("Mapping[str, Any]", args) if isinstance(args, Mapping) else None,
        )


def _phases(raw: Any) -> list[Phase]:
    if not isinstance(raw, list):
        return []
    announced = [
        cast("Mapping[str, Any]", phase) for phase in cast("list[Any]", raw) if isinstance(phase, Mapping)
    ]
    return [
        Phase(clean_line(str(phase.get("title", ""))), clean_line(str(phase.get("detail", ""))))
        for phase in announced
    ]


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise UsageError(
            "that is a folder, not a workflow script", where=str(path), hint="name the file in it"
        )
    if path.exists() and not path.is_file():
        raise UsageError("that is not a regular file", where=str(path), hint="name a file that ends in .py")
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(
            "there is no such file", where=str(path), hint="`mco list` shows the workflows that have a name"
        ) from None
    except OSError as error:
        raise UsageError(
            "the script cannot be read", where=str(path), why=error.strerror or str(error)
        ) from None
    if len(content) > MAXIMUM_BYTES:
        raise UsageError("the script is larger than 1 MiB", where=str(path), hint="is this the right file?")
    return content
