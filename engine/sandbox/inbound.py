"""Frames from a worker, checked at the door: the worker is treated as hostile, whatever its script."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from engine.errors import Problem
from engine.sandbox.exact import exact_type
from engine.sandbox.layer import Layer
from engine.text import clean_block, clean_columns, clean_line

LINE = 500
MESSAGE = 20_000
"""How many characters of one message are kept."""
PROBLEMS = 100
TITLE = 120
"""How many characters of a phase's title are kept."""
PHASES = 100
LARGEST_INT = 2**63


class BadFrame(ValueError):
    """A frame that no honest worker sends."""


class Call(NamedTuple):
    """The script asks for a step or a workflow, and waits.

    `arguments`: for `agent` {"prompt": text, "options": {…}}, options by the names of the script language and
    unchecked; for `workflow` {"name": text, "args": JSON}. `scope` is the budget that it spends from, 0 the run's.
    """

    id: int
    name: Literal["agent", "workflow"]
    arguments: dict[str, Any]
    scope: int


class Note(NamedTuple):
    """The script says something and goes on; its texts are as the script wrote them: clean them before they are shown.

    `arguments`: for `phase` {"title"}; for `log` {"message", "fields", "level"}, where level "warning" is mco's
    own word on an item that failed; for `budget` {"open", "parent", "tokens", "cost"} or {"close"}: scope ids.
    """

    name: Literal["phase", "log", "budget"]
    arguments: dict[str, Any]


class Idle(NamedTuple):
    """The script waits for us; it has seen so many replies."""

    seen: int


class Ready(NamedTuple):
    """The worker stands behind its wall, whose layers these are."""

    layers: tuple[Layer, ...]


class Loaded(NamedTuple):
    """The script may run; `meta` has a name and a description, and a title for each of its phases."""

    meta: dict[str, Any]
    warnings: tuple[Problem, ...] = ()


class Refused(NamedTuple):
    """The script may not run."""

    problems: list[Problem]
    warnings: tuple[Problem, ...] = ()


class Result(NamedTuple):
    """What main returned."""

    value: Any


class Raised(NamedTuple):
    """What the script raised; `trace` has its own lines only, outermost first."""

    type: str
    message: str
    line: int
    trace: tuple[str, ...]


Frame = Call | Note | Idle | Ready | Loaded | Refused | Result | Raised


def read_frame(body: bytes) -> Frame:
    """One frame. BadFrame when it is not one that we know."""
    try:
        frame = from_json(body, allow_inf_nan=False, cache_strings="keys")
        return _READERS[frame["kind"]](frame)
    except BadFrame:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFrame(f"a frame that cannot be read ({type(error).__name__})") from error


def _call(frame: dict[str, Any]) -> Call:
    name, arguments = frame["name"], _dict(frame["arguments"])
    if name == "agent":
        _text(arguments["prompt"])
        if _dict(arguments["options"]):
            _check_numbers(arguments["options"])
    elif name == "workflow":
        _text(arguments["name"])
        _check_numbers(arguments["args"])
    else:
        raise BadFrame("a call of something unknown")
    if len(arguments) != 2:
        raise BadFrame("a call with unknown arguments")
    return Call(_natural(frame["id"]), name, arguments, _natural(frame["scope"]))


def _note(frame: dict[str, Any]) -> Note:
    name, arguments = frame["name"], _dict(frame["arguments"])
    if name == "phase":
        return Note("phase", {"title": _text(arguments["title"])})
    if name == "log":
        return Note("log", _log(arguments))
    if name == "budget":
        return Note("budget", _budget(arguments))
    raise BadFrame("a note of something unknown")


def _log(arguments: dict[str, Any]) -> dict[str, Any]:
    fields = _dict(arguments["fields"])
    _check_numbers(fields)
    level = "warning" if arguments["level"] == "warning" else "info"
    return {"message": _text(arguments["message"]), "fields": fields, "level": level}


def _budget(arguments: dict[str, Any]) -> dict[str, Any]:
    if "close" in arguments:
        return {"close": _natural(arguments["close"])}
    tokens, cost = arguments["tokens"], arguments["cost"]
    return {
        "open": _natural(arguments["open"]),
        "parent": _natural(arguments["parent"]),
        "tokens": None if tokens is None else _natural(tokens),
        "cost": None if cost is None else _amount(cost),
    }


def _refused(frame: dict[str, Any]) -> Refused:
    found = _list(frame["problems"])
    if not found:
        raise BadFrame("a refusal without problems")
    return Refused([_problem(_dict(each)) for each in found[:PROBLEMS]], _warnings(frame))


def _warnings(frame: dict[str, Any]) -> tuple[Problem, ...]:
    return tuple(_problem(_dict(each)) for each in _list(frame.get("warnings", []))[:PROBLEMS])


def _problem(found: dict[str, Any]) -> Problem:
    hint = found["hint"]
    return Problem(
        line=_natural(found["line"]),
        column=_natural(found["column"]),
        message=clean_line(_text(found["message"]), LINE),
        hint=None if hint is None else clean_line(_text(hint), LINE),
        source=clean_columns(_text(found["source"])[:LINE]),
        skipped=_natural(found["skipped"]),
    )


def _loaded(frame: dict[str, Any]) -> Loaded:
    meta = _dict(frame["meta"])
    _check_numbers(meta)
    phases = [{**_dict(phase), "title": _title(phase)} for phase in _list(meta.get("phases", []))[:PHASES]]
    name, description = clean_line(_text(meta["name"])), clean_line(_text(meta["description"]), LINE)
    said = {**meta, "name": name, "description": description, "phases": phases}
    return Loaded(said, _warnings(frame))


def _title(phase: dict[str, Any]) -> str:
    return clean_line(_text(phase["title"]), TITLE)


def _result(frame: dict[str, Any]) -> Result:
    _check_numbers(frame["value"])
    return Result(frame["value"])


def _raised(frame: dict[str, Any]) -> Raised:
    error = _dict(frame["error"])
    trace = _list(error["trace"])
    return Raised(
        type=clean_line(_text(error["type"]), LINE),
        message=clean_block(_text(error["message"]), MESSAGE),
        line=_natural(error["line"]),
        trace=tuple(_trace_line(_dict(each)) for each in trace[:PROBLEMS]),
    )


def _trace_line(step: dict[str, Any]) -> str:
    line, function, source = _natural(step["line"]), _text(step["function"]), _text(step["source"])
    return clean_line(f"line {line}, in {function}: {source}", LINE)


def _ready(frame: dict[str, Any]) -> Ready:
    return Ready(tuple(_layer(_dict(each)) for each in _list(frame["layers"])[:PROBLEMS]))


def _layer(found: dict[str, Any]) -> Layer:
    name, said = clean_line(_text(found["name"])), clean_line(_text(found["said"]), LINE)
    return Layer(name, found["stands"] is True, said)


def _idle(frame: dict[str, Any]) -> Idle:
    return Idle(_natural(frame["seen"]))


_READERS = {
    "call": _call,
    "note": _note,
    "idle": _idle,
    "ready": _ready,
    "loaded": _loaded,
    "refused": _refused,
    "result": _result,
    "error": _raised,
}


def _text(value: Any) -> str:
    if type(value) is not str:
        raise BadFrame("something that should be text is not")
    return value


def _dict(value: Any) -> dict[str, Any]:
    kind = exact_type(value)
    if kind is not dict:
        raise BadFrame("something that should be an object is not")
    return value


def _list(value: Any) -> list[Any]:
    kind = exact_type(value)
    if kind is not list:
        raise BadFrame("something that should be a list is not")
    return value


def _natural(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST_INT:
        raise BadFrame("something that should be a whole number is not")
    return value


def _amount(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < LARGEST_INT:
        raise BadFrame("something that should be a number is not")
    return float(value)


def _check_numbers(value: Any) -> None:
    """BadFrame on numbers that other readers of JSON stumble over: not finite, or beyond 64 bits."""
    kind = exact_type(value)
    if kind is int and not -LARGEST_INT <= value < LARGEST_INT:
        raise BadFrame("an integer of more than 64 bits")
    if kind is float and value - value != 0.0:
        raise BadFrame("a number that is not finite")
    if kind is list:
        for item in value:
            _check_numbers(item)
    elif kind is dict:
        for item in value.values():
            _check_numbers(item)
