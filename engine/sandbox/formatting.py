"""Formatting without attributes: `.format`, f-string specs, `%` and `format()`, with bounded widths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

DIGITS = 4
"""Widths and precisions have at most so many digits."""

_TOO_WIDE = re.compile(rf"\d{{{DIGITS + 1},}}")
_PARENTHESIS = re.compile(r"[()]")
_DIRECTIVE = re.compile(r"[#0\- +]*(\*|[0-9]*)(?:\.(\*|[0-9]*))?[hlL]?.?", re.DOTALL)
"""What stands behind the `%` and its key: flags, width, precision, length, and the letter."""
_CONVERSIONS = {"r": repr, "s": str, "a": ascii}
_PARSER = Formatter()
_PLAIN_FIELD = re.compile(r"\w*")


def format_value(value: Any, spec: Any = "") -> str:
    """`format(value, spec)`; ValueError when the spec asks for more than four digits of width or precision."""
    if type(spec) is str and _TOO_WIDE.search(spec):
        raise ValueError(f"a width or precision in {spec[:40]!r} has more than {DIGITS} digits")
    return format(value, spec)


def format_text(template: str, arguments: Sequence[Any], names: Mapping[str, Any]) -> str:
    """`template.format(…)` with plain fields only: `{}`, `{0}`, `{name}`, a conversion, a spec."""
    parts: list[str] = []
    automatic = 0
    for text, field, spec, conversion in _PARSER.parse(template):
        parts.append(text)
        if field is None:
            continue
        value = _field(field or str(automatic), arguments, names)
        automatic += field == ""
        if conversion is not None:
            value = _conversion(conversion)(value)
        parts.append(format_value(value, _plain_spec(spec)))
    return "".join(parts)


def _field(field: str, arguments: Sequence[Any], names: Mapping[str, Any]) -> Any:
    if not _PLAIN_FIELD.fullmatch(field):
        raise ValueError(f"the field {{{field[:40]}}} reads inside a value; use an f-string for that")
    if field.isdecimal():
        if int(field) >= len(arguments):
            raise IndexError(f"the template has a field {{{field}}}, but {len(arguments)} values were given")
        return arguments[int(field)]
    if field not in names:
        raise KeyError(field)
    return names[field]


def _conversion(letter: str) -> Callable[[Any], str]:
    if letter not in _CONVERSIONS:
        raise ValueError(f"there is no conversion !{letter}; use !r, !s or !a")
    return _CONVERSIONS[letter]


def _plain_spec(spec: str | None) -> str:
    if spec and "{" in spec:
        raise ValueError("a field inside a format spec is not available here; use an f-string for that")
    return spec or ""


def percent(template: str | bytes, values: Any) -> str | bytes:
    """`template % values`; ValueError when a width or precision is `*` or has more than four digits."""
    for found in _directives(template if isinstance(template, str) else template.decode("latin-1")):
        if any(size == "*" or len(size or "") > DIGITS for size in found.groups()):
            raise ValueError(f"the width or precision of '%{found[0][:40]}' must be at most {DIGITS} digits")
    return template % values


def _directives(template: str) -> Iterator[re.Match[str]]:
    """Each directive of a `%` template, as Python itself would find it."""
    at = template.find("%")
    while at >= 0:
        found = _DIRECTIVE.match(template, _after_key(template, at + 1))
        if found is None:
            return
        yield found
        at = template.find("%", found.end())


def _after_key(template: str, start: int) -> int:
    """Where a key such as `(name)` ends; parentheses inside a key count."""
    if template[start : start + 1] != "(":
        return start
    open_now = 0
    for found in _PARENTHESIS.finditer(template, start):
        open_now += 1 if found[0] == "(" else -1
        if not open_now:
            return found.end()
    return len(template)
