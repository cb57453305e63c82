"""Frames to a worker, as quickly as they can be made: every call of a script has a reply."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from engine.sandbox.frames import encode, prefixed


def encode_quickly(frame: dict[str, Any]) -> bytes:
    """One frame as bytes. ValueError or TypeError when it is not JSON.

    What pydantic's serializer takes more lightly than JSON does is left to the strict one.
    """
    try:
        body = to_json(frame)
    except ValueError:
        return encode(frame)
    # A text has no numbers in it, and may be long.
    if not isinstance(frame.get("value"), str) and (b"NaN" in body or b"Infinity" in body):
        return encode(frame)
    return prefixed(body)
