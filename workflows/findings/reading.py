"""Findings out of a run's result: the shapes that workflows and models write, each finding checked by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from posixpath import normpath
from typing import Any, NamedTuple

from pydantic import ValidationError

from engine.json_value import is_list, is_object
from workflows.findings.finding import Finding

MOST = 10_000
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?")
_EVIDENCE = ("file", "line", "column", "symbol", "snippet")


class Findings(NamedTuple):
    """The findings of one result, in its order. `unreadable` is how many could not be believed."""

    found: tuple[Finding, ...]
    unreadable: int = 0


def read_findings(result: Any, workspace: Path) -> Findings | None:
    """The list `findings` of a result; None when it has none. Never raises for what stands in it."""
    entries = result.get("findings") if is_object(result) else None
    if not is_list(entries):
        return None
    read = [_read(entry, workspace) for entry in entries[:MOST]]
    found = tuple(finding for finding in read if finding is not None)
    return Findings(found, len(entries) - len(found))


def _read(entry: Any, workspace: Path) -> Finding | None:
    if not is_object(entry):
        return None
    given = {name: value for name, value in entry.items() if value is not None}
    try:
        return Finding.model_validate(
            {**given, "evidence": _evidence(given, workspace), "detected_by": _names(given)}
        )
    except ValidationError:
        return None


def _evidence(given: Mapping[str, Any], workspace: Path) -> dict[str, Any]:
    """The place of a finding, whether it stands in `evidence` or beside the title."""
    nested = given.get("evidence")
    source = {**given, **nested} if is_object(nested) else given
    evidence = {name: source[name] for name in _EVIDENCE if source.get(name) is not None}
    file = evidence.get("file")
    return {**evidence, **_split(file, evidence, workspace)} if isinstance(file, str) else evidence


def _split(file: str, evidence: Mapping[str, Any], workspace: Path) -> dict[str, Any]:
    """A file as agents name it: absolute, with `./`, with backslashes, or as `file:line:column`."""
    match = _PLACE.fullmatch(file)
    if match is None or "line" in evidence:
        return {"file": relative_file(file, workspace)}
    column = match["column"]
    return {
        "file": relative_file(match["file"], workspace),
        "line": int(match["line"]),
        **({"column": int(column)} if column else {}),
    }


def relative_file(file: str, workspace: Path) -> str:
    """The file as seen from the workspace, with slashes; a place outside stays as it was written."""
    name = file.strip()
    if "/" not in name or (workspace.drive and name.startswith(workspace.drive)):
        name = name.replace("\\", "/")
    root = workspace.as_posix().rstrip("/")
    if name.startswith(f"{root}/"):
        name = name[len(root) + 1 :]
    return normpath(name) if name else ""


def _names(given: Mapping[str, Any]) -> list[str]:
    names = given.get("detected_by")
    listed: list[Any] = names if is_list(names) else [names]
    return list(dict.fromkeys(_strings(listed)))


def _strings(values: list[Any]) -> Iterator[str]:
    yield from (value for value in values if isinstance(value, str) and value.strip())
