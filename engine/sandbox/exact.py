"""The exact type of a value: subclasses do not count, since they could be anything."""

from __future__ import annotations

from collections.abc import Callable

exact_type: Callable[[object], type[object]] = type
