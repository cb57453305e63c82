"""A file of stubs: a JSON or TOML table from labels or patterns to answers. `{"$fail": REASON}` is a failure."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, cast, get_args

from engine.dispatch.answers import checked
from engine.errors import REASONS, Reason, StepFailed, UsageError
from engine.json_value import is_object
from engine.stand_ins.stubs import Failure, Stubs
from engine.step import Answer

MAXIMUM_BYTES = 16 * 1024 * 1024
FAIL = "$fail"


def read_stubs(path: Path) -> Stubs:
    """The stubs of a file. UsageError says what is wrong with it and where."""
    table = _table(path)
    return Stubs({label: _stub(label, value, path) for label, value in table.items()}, where=str(path))


def _stub(label: str, value: Any, path: Path) -> Any:
    if is_object(value) and FAIL in value:
        return _failure(label, value, path)
    try:
        return checked(Answer(value), None)
    except StepFailed as failure:
        raise _wrong(path, failure.what, label) from None


def _failure(label: str, value: Any, path: Path) -> Failure:
    reason, message = value[FAIL], value.get("message", Failure._field_defaults["message"])
    if reason not in REASONS:
        raise _wrong(path, f"{reason!r} is no reason; there are: {', '.join(get_args(Reason))}", label)
    if not isinstance(message, str) or value.keys() - {FAIL, "message"}:
        raise _wrong(path, f"beside {FAIL!r} there is only a text as 'message'", label)
    return Failure(cast("Reason", reason), message)


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "the stubs cannot be read", where=str(path), why=error.strerror or str(error)
        ) from None
    if len(content) > MAXIMUM_BYTES:
        raise _wrong(path, "it is larger than 16 MiB")
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        text = content.decode("utf-8-sig")
        table: Any = tomllib.loads(text) if kind == "TOML" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"it is not {kind}: {error}") from None
    if not isinstance(table, dict):
        raise _wrong(path, 'it is not an object; write {"label": answer}')
    return cast("dict[str, Any]", table)


def _wrong(path: Path, why: str, label: str | None = None) -> UsageError:
    what = "the stubs are wrong" if label is None else f"the stub for {label!r} is wrong"
    return UsageError(
        what,
        where=str(path),
        why=why,
        hint="write labels or patterns with their answers, in JSON or in a file that ends in .toml",
    )
