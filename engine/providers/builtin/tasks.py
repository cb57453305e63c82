"""The tasks that `builtin` takes, as a script writes them beside its prompt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class TaskRefused(ValueError):
    """The task is none of ours, or is wrong; the message says where."""


class _Task(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReviewTask(_Task):
    """Look for faults in the Python code of a target (a path relative to the workspace)."""

    kind: Literal["review"]
    target: str = "."
    aspect: Literal["correctness", "security", "performance"]
    limit: int = Field(15, ge=1, le=1000)
    """How many findings are shown at most; the rest is counted."""


class SearchTask(_Task):
    """Find passages about a query in the text files of a target."""

    kind: Literal["search"]
    query: str = Field(min_length=1, max_length=4000)
    target: str = "."
    limit: int = Field(8, ge=1, le=100)


class Place(BaseModel):
    """A line of a file; whatever else a script has noted about it does not matter here. Lines count from 1."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    line: int = Field(ge=1)


class FetchTask(_Task):
    """Read what stands around some places, `context` lines on either side."""

    kind: Literal["fetch"]
    places: list[Place] = Field(max_length=200)
    context: int = Field(12, ge=0, le=500)


class Quote(Place):
    """Words that are said to stand in a file, near a line."""

    quote: str = Field(max_length=20_000)


class VerifyTask(_Task):
    """Compare quotes word for word with their files."""

    kind: Literal["verify"]
    quotes: list[Quote] = Field(max_length=500)


Task = ReviewTask | SearchTask | FetchTask | VerifyTask


@cache
def _reader() -> TypeAdapter[Task]:
    return TypeAdapter(Annotated[Task, Field(discriminator="kind")])


def read_task(task: Mapping[str, Any]) -> Task:
    """The task that a script wrote; TaskRefused names the first thing that is wrong with it."""
    try:
        return _reader().validate_python(dict(task))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "kind"
        raise TaskRefused(f"{place}: {first['msg']}") from None
