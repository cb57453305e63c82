"""Which Python values are JSON, and where one is not: for prompts, options, arguments and results of a script."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from typing import Any

from engine.sandbox.exact import exact_type

DEPTH = 100
LARGEST_INT = 2**63

_SIMPLE = frozenset({bool, type(None)})
_SEQUENCES = frozenset({list, tuple})
MAPPINGS = frozenset({dict, Counter, defaultdict, OrderedDict})
_HINTS = {
    "set": "use a list",
    "frozenset": "use a list",
    "deque": "use list(…)",
    "bytes": "use text",
    "function": "call it first",
    "coroutine": "await it first",
    "generator": "use list(…)",
}


class NotJSON(ValueError):
    """A value that cannot be sent: says what, where in the value, and what to use instead."""


def json_value(value: Any, what: str, size: int) -> Any:
    """A copy of `value` in plain JSON types (tuples become lists). NotJSON beyond `size` bytes or where it is none.

    `what` begins the message, as in "main() returned".
    """
    return _Copier(what, size).copy(value, ())


def text_value(value: str, what: str, size: int) -> str:
    """The same for text alone, which is what most prompts are."""
    if len(value) < size and value.isascii():
        return value
    return json_value(value, what, size)


class _Copier:
    """One walk over one value: counts its size, so that a small value with endless repetitions ends early."""

    def __init__(self, what: str, size: int) -> None:
        self._what = what
        self._size = size
        self._left = size
        self._open: set[int] = set()

    def copy(self, value: Any, path: tuple[Any, ...]) -> Any:
        kind = exact_type(value)
        self._spend(1, path)
        if kind is str:
            return self._text(value, path)
        if kind in _SIMPLE:
            return value
        if kind is int:
            return self._int(value, path)
        if kind is float:
            return self._float(value, path)
        if kind in _SEQUENCES or kind in MAPPINGS:
            return self._container(value, path)
        raise self._refuse(f"{_article(kind.__name__)}", path, _HINTS.get(kind.__name__))

    def _container(self, value: Any, path: tuple[Any, ...]) -> Any:
        if id(value) in self._open:
            raise self._refuse("a value that contains itself", path, None)
        if len(path) >= DEPTH:
            raise self._refuse(f"a value nested more than {DEPTH} deep", path[:4], "flatten it")
        self._open.add(id(value))
        copied = self._sequence(value, path) if type(value) in _SEQUENCES else self._mapping(value, path)
        self._open.discard(id(value))
        return copied

    def _sequence(self, value: Any, path: tuple[Any, ...]) -> list[Any]:
        return [self.copy(item, (*path, index)) for index, item in enumerate(value)]

    def _mapping(self, value: Any, path: tuple[Any, ...]) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise self._refuse(f"the key {_short(key)} that is no text", path, "use str(key)")
            self._text(key, path)
            copied[key] = self.copy(item, (*path, key))
        return copied

    def _text(self, value: str, path: tuple[Any, ...]) -> str:
        self._spend(len(value), path)
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise self._refuse("text with half a surrogate pair", path, None) from None
        return value

    def _int(self, value: int, path: tuple[Any, ...]) -> int:
        if not -LARGEST_INT <= value < LARGEST_INT:
            raise self._refuse("an integer of more than 64 bits", path, "use text or a float")
        return value

    def _float(self, value: float, path: tuple[Any, ...]) -> float:
        if value - value != 0.0:
            raise self._refuse("a number that is not finite", path, "use None")
        return value

    def _spend(self, size: int, path: tuple[Any, ...]) -> None:
        self._left -= size
        if self._left < 0:
            raise self._refuse(f"more than {self._size // 1024:,} KiB", path[:1], "send less")

    def _refuse(self, found: str, path: tuple[Any, ...], hint: str | None) -> NotJSON:
        end = f"; hint: {hint}" if hint else ""
        return NotJSON(f"{self._what} {found} at {_path(path)}{end}")


def _path(path: tuple[Any, ...]) -> str:
    steps = [f"[{step}]" if type(step) is int else f".{step[:40]}" for step in path]
    return "$" + "".join(steps)


def _article(name: str) -> str:
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"


def _short(key: Any) -> str:
    return repr(key)[:40] if type(key) in (int, float, bool, type(None)) else _article(type(key).__name__)
