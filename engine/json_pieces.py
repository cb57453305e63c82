"""A long text as JSON, piece by piece: all at once it would be in memory three times more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from pydantic_core import to_json

LONG = 1024 * 1024
"""Characters from which on it is worth the while."""


def is_long(value: Any) -> TypeGuard[str]:
    """Whether a value is such a text."""
    return isinstance(value, str) and len(value) > LONG


def around(document: bytes, name: str, text: str) -> Iterator[bytes]:
    """A JSON object in which the first member called `name` holds an empty text, with `text` in that place."""
    head, member, tail = document.partition(f'"{name}":"'.encode())
    yield head + member
    for start in range(0, len(text), LONG):
        yield to_json(text[start : start + LONG])[1:-1]
    yield tail
