"""A cassette: the answers of a run in one JSON file, to be given again elsewhere. It may come from anybody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from engine.errors import Reason, StorageFailed, UsageError
from engine.record.events import Status, Tokens
from engine.record.folder import write_atomically

VERSION = 1
MAXIMUM_BYTES = 128 * 1024 * 1024
MOST_STEPS = 100_000

Line = Annotated[str, Field(max_length=10_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RecordedProvider(_Part):
    """A provider that the run knew: what it can do, and whether it could be asked."""

    capabilities: list[Line] = []
    note: Line = ""
    ready: bool = True
    why: Line = ""


class RecordedAnswer(_Part):
    """What a step got. `seconds` is how long that took."""

    value: Any
    provider: Line = ""
    model: Line | None = None
    usage: Tokens = Tokens()
    seconds: float = Field(0.0, ge=0)


class RecordedFailure(_Part):
    """Why a step has no answer."""

    reason: Reason
    message: Line
    provider: Line | None = None


class RecordedStep(_Part):
    """One step: what it asked (see `Asked`), over which files, and its answer or failure; neither when it got none."""

    label: Line = ""
    asked: dict[str, Any]
    occurrence: int = Field(1, ge=1)
    workspace: Line | None = None
    answer: RecordedAnswer | None = None
    failed: RecordedFailure | None = None


class Cassette(_Part):
    """A whole file. `default` is who answered steps that named nobody; times are seconds since the epoch."""

    cassette: Literal[1] = VERSION
    mco: Line = ""
    workflow: Line = ""
    script_hash: Line = ""
    args: Any = None
    run: Line = ""
    status: Status
    recorded_at: float
    default: Line
    pinned: bool = False
    providers: dict[Line, RecordedProvider] = {}
    steps: list[RecordedStep] = Field(default=[], max_length=MOST_STEPS)


def read_cassette(path: Path) -> Cassette:
    """The cassette in a file. UsageError when there is none, or one of another version."""
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "the cassette cannot be read",
            where=str(path),
            why=error.strerror or str(error),
            hint="make one with: mco run … --record FILE",
        ) from None
    if len(content) > MAXIMUM_BYTES:
        raise UsageError(f"the cassette is larger than {MAXIMUM_BYTES >> 20} MiB", where=str(path))
    try:
        return Cassette.model_validate(from_json(content, allow_inf_nan=False))
    except ValidationError as error:
        first = error.errors()[0]
        raise _none(path, [str(part) for part in first["loc"]], first["msg"]) from None
    except ValueError as error:
        raise _none(path, [], f"it is not JSON: {error}") from None


def write_cassette(path: Path, cassette: Cassette) -> None:
    """Replace the file in one move. StorageFailed when that cannot be done, or nobody could read it again."""
    text = json.dumps(cassette.model_dump(mode="json", exclude_defaults=False), indent=1, ensure_ascii=False)
    content = f"{text}\n".encode(errors="replace")
    if len(content) > MAXIMUM_BYTES:
        raise StorageFailed(
            "the cassette is not written",
            where=str(path),
            why=f"with these answers it would be larger than {MAXIMUM_BYTES >> 20} MiB, and not be replayed",
            hint="record a run with fewer or shorter answers; those of this one stand in its folder",
        )
    write_atomically(path, content)


def check_place(path: Path) -> None:
    """Before anything is spent: whether a cassette can be written there. UsageError when not."""
    if not path.parent.is_dir():
        raise UsageError("there is no such folder", where=str(path.parent), hint="make it, then record")
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError("that is not a regular file", where=str(path), hint="name another file to record to")
    try:
        with path.open("rb") as file:
            beginning = file.read(200).split()
    except OSError as error:
        raise StorageFailed(
            "the file cannot be looked at", where=str(path), why=error.strerror or str(error)
        ) from None
    if beginning and beginning[:2] != [b"{", b'"cassette":']:
        raise UsageError(
            "that file is not a cassette, and is not written over", where=str(path), hint="name another one"
        )


def _none(path: Path, place: Sequence[str], why: str) -> UsageError:
    if place == ["cassette"]:
        return UsageError(
            "that is no cassette that this mco can read",
            where=str(path),
            why=f"its version is not {VERSION}",
            hint="record it anew with: mco run … --record FILE",
        )
    return UsageError(
        "that is no cassette",
        where=f"{path}: {'.'.join(place)}" if place else str(path),
        why=why,
        hint="make one with: mco run … --record FILE",
    )
