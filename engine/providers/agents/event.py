"""One event of a program's output: JSON from outside, of which any part may be missing or of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.json_value import is_list, is_object

Event = Mapping[str, Any]
_BEYOND = 2**63


def part_of(event: Any, *names: str) -> Event:
    """The object under these names, empty when there is none."""
    for name in names:
        event = event.get(name) if is_object(event) else None
    return event if is_object(event) else {}


def parts_of(event: Event, name: str) -> list[Event]:
    """The objects in the list of that name."""
    found = event.get(name)
    return [part for part in found if is_object(part)] if is_list(found) else []


def text_of(event: Event, name: str) -> str:
    """The text of that name, empty when there is none."""
    found = event.get(name)
    return found if isinstance(found, str) else ""


def count_of(event: Event, name: str) -> int | None:
    """The whole number of that name, None when there is none that counts anything."""
    found = event.get(name)
    return found if type(found) is int and 0 <= found < _BEYOND else None


def amount_of(event: Event, name: str) -> float | None:
    """The amount of that name, such as seconds or dollars; None when there is none."""
    found = event.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return float(found) if 0 <= found < _BEYOND else None


def total(*counts: int | None) -> int | None:
    """The sum of those that are known, None when none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
