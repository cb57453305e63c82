"""Which version of a program is installed, read off its files: many take a second or two to say it themselves."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic_core import from_json

from engine.json_value import is_object

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+.][\w.+-]+)?")
_LARGEST = 1024 * 1024


def installed_version(program: Path, package: str) -> str | None:
    """From the npm package around a resolved program, else from a folder or file that is named by its version."""
    for folder in list(program.parents)[:4]:
        version = _packaged(folder / "package.json", package)
        if version is not None:
            return version
    return next((part for part in reversed(program.parts) if _VERSION.fullmatch(part)), None)


def _packaged(path: Path, package: str) -> str | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        about = from_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not is_object(about) or about.get("name") != package:
        return None
    version = about.get("version")
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else None


def version_remark(version: str | None, known: tuple[str, ...]) -> str:
    """What to know of a version that it was not tried with; empty when there is nothing."""
    if version is None:
        return "its version cannot be told"
    if version in known:
        return ""
    order = _numbers(version)
    if order > max(map(_numbers, known)):
        return f"newer than those it was tried with ({known[-1]})"
    if order < min(map(_numbers, known)):
        return f"older than those it was tried with ({known[0]})"
    return f"not one of those it was tried with ({', '.join(known)})"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
