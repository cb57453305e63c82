"""Which values a script may touch, and how: the functions that `policy` writes into its tree."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from re import Match
from types import CoroutineType
from typing import Any

from engine.sandbox import arithmetic
from engine.sandbox.attributes import OF_TYPES, OF_VALUES
from engine.sandbox.exact import exact_type
from engine.sandbox.facades import Facade
from engine.sandbox.formatting import format_text, format_value

WRITABLE = frozenset({list, dict, Counter, defaultdict, OrderedDict, deque})
READABLE = WRITABLE | {str, bytes, tuple, range, Match}
ENCODINGS = frozenset({"utf-8", "utf8", "ascii", "latin-1"})
PLAIN = frozenset({str, bytes, int, float, bool, type(None), list, dict, tuple, set, frozenset})

_MISSING: Any = object()
_NONE: frozenset[str] = frozenset()


def get_attribute(value: Any, name: str) -> Any:
    """`value.name`, when the exact type of the value lists it."""
    kind = exact_type(value)
    if name in OF_VALUES.get(kind, _NONE):
        return getattr(value, name) if name != "args" else _plain_arguments(value)
    if kind is Facade:
        return Facade.__getattr__(value, name)
    if kind is type and name in OF_TYPES.get(value, _NONE):
        return getattr(value, name)
    return _own_method(value, name)


def _own_method(value: Any, name: str) -> Any:
    """The few methods that we write ourselves."""
    if name == "format" and type(value) is str:
        return _formatter_of(value)
    if name == "format" and value is str:
        return _format
    if name == "encode" and type(value) is str:
        return lambda encoding="utf-8", errors="strict": value.encode(_encoding(encoding), errors)
    if name == "decode" and type(value) is bytes:
        return lambda encoding="utf-8", errors="strict": value.decode(_encoding(encoding), errors)
    kind = value.__name__ if type(value) is type else type(value).__name__
    raise AttributeError(f"{kind} has no attribute {str(name)[:60]!r} in workflow scripts")


def _format(template: str, /, *arguments: Any, **names: Any) -> str:
    return format_text(template, arguments, names)


def _formatter_of(template: str) -> Callable[..., str]:
    def formatted(*arguments: Any, **names: Any) -> str:
        return format_text(template, arguments, names)

    return formatted


def _encoding(name: str) -> str:
    if name not in ENCODINGS:
        raise LookupError(f"the encoding {str(name)[:40]!r} is not available; use utf-8, ascii or latin-1")
    return name


def _plain_arguments(error: Exception) -> tuple[Any, ...]:
    return tuple(value if type(value) in PLAIN else str(value) for value in error.args)


def get_attribute_or(value: Any, name: str, default: Any = _MISSING) -> Any:
    """The builtin `getattr`, through the guard."""
    if type(name) is not str:
        raise TypeError("getattr(): the name of an attribute must be text")
    try:
        return get_attribute(value, name)
    except AttributeError:
        if default is _MISSING:
            raise
        return default


def has_attribute(value: Any, name: str) -> bool:
    """The builtin `hasattr`, through the guard."""
    try:
        get_attribute(value, name)
    except AttributeError:
        return False
    return True


def get_item(container: Any, key: Any) -> Any:
    """`container[key]`."""
    if type(container) not in READABLE:
        raise TypeError(f"{_kind(container)} has no items")
    return container[key]


def writable(container: Any) -> Any:
    """What `container[key] = …` and `del container[key]` write to."""
    if type(container) not in WRITABLE:
        raise TypeError(f"the items of {_kind(container)} cannot be set or deleted")
    return container


def awaitable(value: Any) -> Any:
    """What `await` takes: a coroutine, as agent() and async functions return it."""
    kind = exact_type(value)
    if kind is not CoroutineType:
        raise TypeError(
            f"{_kind(value)} cannot be awaited; agent(), parallel(), pipeline(), workflow() "
            "and your own async functions can"
        )
    return value


def apply(function: Callable[..., Any], /, *arguments: Any, **names: Any) -> Any:
    """A call with `**names`."""
    for name in names:
        if name.startswith("_"):
            raise TypeError(f"names that begin with an underscore are not available: {name[:60]}")
    return function(*arguments, **names)


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"


GUARDS: dict[str, Any] = {
    "_getattr_": get_attribute,
    "_getitem_": get_item,
    "_write_": writable,
    "_inplacevar_": arithmetic.in_place,
    "_binop_": arithmetic.binary,
    "_apply_": apply,
    "_await_": awaitable,
    "_format_": format_value,
    "_Exception_": Exception,
}
