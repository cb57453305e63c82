"""Options of `agent()` that it does not have, and values written out in the script that it will refuse."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from engine.sandbox.advice_names import nearest
from engine.sandbox.api import AGENT_OPTIONS
from engine.sandbox.outline import Advice, Outline

CHOICES: dict[str, tuple[str, ...]] = {
    "access": ("read", "write", "full"),
    "strategy": ("all", "race", "failover", "agree"),
    "isolation": ("worktree",),
    "on_resume": ("rerun", "skip", "halt"),
}
"""The words that an option takes."""

_WEEK = 7 * 86400
NUMBERS: dict[str, tuple[float, float, bool]] = {
    "timeout": (0.001, _WEEK, False),
    "stall_timeout": (0.001, _WEEK, False),
    "retries": (0, 20, True),
    "max_tool_calls": (0, 2**63, True),
}
"""The least and the most that an option takes, and whether it counts something."""

_AGE = re.compile(r"\s*\d+(\.\d+)?\s*[smhdw]\s*")
_UNREADABLE = object()
_SHOWN = 40


class Option(NamedTuple):
    """One option as a call of `agent()` gives it, by name or in its dict."""

    name: str
    value: ast.expr
    place: ast.AST


def options_of(call: ast.Call) -> Iterator[Option]:
    """The options that a call of `agent()` names in plain text."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield Option(keyword.arg, keyword.value, keyword)
    if len(call.args) == 2 and isinstance(given := call.args[1], ast.Dict):
        for key, value in zip(given.keys, given.values, strict=True):
            if isinstance(key, ast.Constant) and type(key.value) is str:
                yield Option(key.value, value, key)


def agent_calls(outline: Outline) -> Iterator[ast.Call]:
    """Every call of the API's `agent`."""
    if outline.is_given("agent"):
        for node in outline.nodes:
            if isinstance(node, ast.Call) and outline.called(node) == "agent":
                yield node


def advise_options(outline: Outline) -> Iterator[Advice]:
    """Unknown options, and values that are refused when the step is asked for."""
    for call in agent_calls(outline):
        yield from _positions(call)
        options = list(options_of(call))
        for option in options:
            yield from _option(option)
        literal = {option.name: option for option in options if _is_literal(option.value)}
        if "provider" in literal and "providers" in literal:
            place = literal["providers"].place
            yield Advice(place, "agent() takes provider or providers, not both", "leave one of them out")


def _positions(call: ast.Call) -> Iterator[Advice]:
    second = call.args[1] if len(call.args) > 1 else None
    wrong = isinstance(second, ast.JoinedStr | ast.List | ast.Tuple) or (
        isinstance(second, ast.Constant) and second.value is not None
    )
    if second is not None and (wrong or len(call.args) > 2):
        hint = 'write agent("…", label="…"); several texts are joined to one prompt first'
        message = "agent() takes one prompt; after it come options by name, or one dict of them"
        yield Advice(second, message, hint)


def _option(option: Option) -> Iterator[Advice]:
    if option.name not in AGENT_OPTIONS:
        near = nearest(option.name, AGENT_OPTIONS)
        hint = f"did you mean {near}?" if near else f"it has {', '.join(AGENT_OPTIONS)}"
        yield Advice(option.place, f"agent() has no option {option.name[:_SHOWN]}", hint)
    elif option.name == "provider" and isinstance(option.value, ast.List | ast.Tuple):
        yield Advice(option.place, "agent(): provider cannot be a list", "use providers for several")
    else:
        yield from _value(option)


def _value(option: Option) -> Iterator[Advice]:
    """What is wrong with the value of an option that is there, where it is a literal; None is never wrong."""
    value = _written(option.value)
    check = _CHECKS.get(option.name)
    if check is None or value is None or value is _UNREADABLE:
        return
    hint = check(option.name, value)
    if hint is not None:
        huge = type(value) is int and abs(value) >= 2**63  # Python refuses to write out the largest
        shown = "so large" if huge else repr(value)[:_SHOWN]
        yield Advice(option.place, f"agent(): {option.name} cannot be {shown}", hint)


def _choice_hint(name: str, value: Any) -> str | None:
    choices = CHOICES[name]
    if value in choices:
        return None
    near = nearest(value, choices) if type(value) is str else None
    return f"did you mean {near!r}?" if near else f"use {' or '.join(map(repr, choices))}"


def _number_hint(name: str, value: Any) -> str | None:
    least, most, whole = NUMBERS[name]
    allowed = (int,) if whole else (int, float)
    if type(value) in allowed and least <= value <= most:
        return None
    if not whole:
        return "it is in seconds, more than 0 and at most 604800 (a week)"
    return "it is a whole number from 0 to 20" if name == "retries" else "it is a whole number, 0 or more"


def _list_hint(name: str, value: Any) -> str | None:
    return f"it is a list: {name}=[{value[:_SHOWN]!r}]" if type(value) is str else None


def _age_hint(_name: str, value: Any) -> str | None:
    wrong = type(value) is str and not _AGE.fullmatch(value)
    return 'use True, False, or an age such as "30m", "12h", "1d" or "2w"' if wrong else None


_CHECKS: dict[str, Callable[[str, Any], str | None]] = {
    **dict.fromkeys(CHOICES, _choice_hint),
    **dict.fromkeys(NUMBERS, _number_hint),
    **dict.fromkeys(("providers", "capabilities", "reads"), _list_hint),
    "cache": _age_hint,
}
"""The way out when an option cannot have a value; None when it can."""


def _written(node: ast.expr) -> Any:
    """The value of a literal that is one word or number, and `_UNREADABLE` for all else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _written(node.operand)
        return -inner if type(inner) in (int, float) else _UNREADABLE
    return _UNREADABLE


def _is_literal(node: ast.expr) -> bool:
    written = isinstance(node, ast.Constant) and node.value is not None
    return written or isinstance(node, ast.List | ast.Dict)
