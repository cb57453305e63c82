"""What a script can call: agent, parallel, pipeline, phase, log, print, budget, workflow."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Coroutine, Iterable
from types import CoroutineType, FunctionType
from typing import Any, Protocol

from engine.sandbox.budget import Budget
from engine.sandbox.exact import exact_type
from engine.sandbox.failures import CEILINGS, AgentError
from engine.sandbox.trampoline import Ask, Outcome, Together, suspend
from engine.sandbox.values import MAPPINGS, NotJSON, json_value, text_value

AGENT_OPTIONS = (
    "label",
    "phase",
    "schema",
    "model",
    "effort",
    "provider",
    "providers",
    "strategy",
    "capabilities",
    "task",
    "agent_type",
    "access",
    "reads",
    "isolation",
    "on_resume",
    "timeout",
    "stall_timeout",
    "retries",
    "max_tool_calls",
    "cache",
)
ITEMS = 100_000
"""How many things one parallel() or pipeline() takes."""
MESSAGE_CHARACTERS = 16 * 1024


class Notes(Protocol):
    """Where things go that need no reply."""

    def __call__(self, name: str, arguments: dict[str, Any]) -> None:
        """Say it to the host."""
        ...


def script_api(note: Notes, budget: Budget, frame_bytes: int) -> dict[str, Any]:
    """The names of the API for one run."""

    def agent(prompt: Any, options: Any = None, /, **named: Any) -> Coroutine[Any, Any, Any]:
        chosen = _agent_options(options, named)
        if type(prompt) is not str:
            raise TypeError(f"agent(): the prompt must be text, not {type(prompt).__name__}")
        arguments = {
            "prompt": text_value(prompt, "agent(): the prompt is", frame_bytes),
            "options": json_value(chosen, "agent(): the options hold", frame_bytes) if chosen else chosen,
        }
        return _ask(Ask("agent", arguments))

    def workflow(name: Any, args: Any = None) -> Coroutine[Any, Any, Any]:
        if type(name) is not str:
            raise TypeError(f"workflow(): the name must be text, not {type(name).__name__}")
        return _ask(
            Ask(
                "workflow",
                {
                    "name": text_value(name, "workflow(): the name is", frame_bytes),
                    "args": json_value(args, "workflow(): the args hold", frame_bytes),
                },
            )
        )

    def phase(title: Any) -> None:
        note("phase", {"title": _text(title)})

    def log(message: Any = "", /, **fields: Any) -> None:
        values = json_value(fields, "log(): the fields hold", MESSAGE_CHARACTERS)
        note("log", {"message": _text(message), "fields": values, "level": "info"})

    def script_print(
        *values: Any, sep: str | None = None, end: str | None = None, flush: bool = False
    ) -> None:
        joined = (" " if sep is None else sep).join(map(str, values))
        note("log", {"message": _text(joined), "fields": {}, "level": "info"})

    return {
        "agent": agent,
        **_side_by_side(note),
        "phase": phase,
        "log": log,
        "print": script_print,
        "budget": budget,
        "workflow": workflow,
    }


def _side_by_side(note: Notes) -> dict[str, Any]:
    """The two that run things side by side, and log what failed."""

    def failed(where: str, error: Exception) -> None:
        note("log", {"message": _text(f"{where}: {described(error)}"), "fields": {}, "level": "warning"})

    async def parallel(items: Iterable[Any]) -> list[Any]:
        jobs = [_job(item, index) for index, item in enumerate(_bounded("parallel", items))]
        outcomes = await suspend(Together(jobs))
        return _settle(outcomes, lambda index, error: failed(f"parallel() item {index}", error))

    async def pipeline(items: Iterable[Any], *stages: Any) -> list[Any]:
        steps = [(stage, _arity(stage, number)) for number, stage in enumerate(stages, 1)]
        flows = [_flow(item, index, steps) for index, item in enumerate(_bounded("pipeline", items))]
        outcomes = await suspend(Together(flows))
        return _settle(outcomes, lambda index, error: failed(f"pipeline() item {index}", error))

    return {"parallel": parallel, "pipeline": pipeline}


async def _ask(ask: Ask) -> Any:
    return await suspend(ask)


def described(error: BaseException) -> str:
    """An exception in one line: its kind and what it says."""
    try:
        text = str(error)[:4000]
    except Exception:  # noqa: BLE001 - a value that cannot be shown must not hide the error
        text = ""
    kind = "ValueError" if isinstance(error, NotJSON) else type(error).__name__
    if isinstance(error, AgentError) and error.reason:
        kind = f"{kind} ({error.reason})"
    return f"{kind}: {text}" if text else kind


def _text(value: Any) -> str:
    """A message for people, bounded, and text that can be sent whatever is in it."""
    text = value if type(value) is str else str(value)
    if len(text) > MESSAGE_CHARACTERS:
        text = f"{text[:MESSAGE_CHARACTERS]}… ({len(text) - MESSAGE_CHARACTERS:,} characters more)"
    return text if text.isascii() else text.encode(errors="replace").decode()


def _agent_options(options: Any, named: dict[str, Any]) -> dict[str, Any]:
    if options is not None and type(options) not in MAPPINGS:
        raise TypeError("agent(): after the prompt come options by name, or one dict of them")
    given: dict[Any, Any] = options or {}
    for name in given.keys() & named.keys():
        raise TypeError(f"agent() got the option {name!r} twice")
    chosen = {**given, **named}
    for name in chosen:
        if name not in AGENT_OPTIONS:
            raise TypeError(_unknown_option(name))
    return chosen


def _unknown_option(name: Any) -> str:
    near = difflib.get_close_matches(str(name), AGENT_OPTIONS, 1)
    shown = repr(str(name)[:40])
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(AGENT_OPTIONS)}"
    return f"agent() has no option {shown}; {hint}"


def _bounded(name: str, items: Iterable[Any]) -> list[Any]:
    if type(items) in (str, dict):
        raise TypeError(f"{name}() needs a list, not a {type(items).__name__}")
    taken = list(itertools.islice(items, ITEMS + 1))
    if len(taken) > ITEMS:
        raise ValueError(f"{name}() takes at most {ITEMS:,} items at once")
    return taken


async def _run(function: Callable[..., Any], *arguments: Any) -> Any:
    value: Any = function(*arguments)
    kind = exact_type(value)
    return await value if kind is CoroutineType else value


async def _awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Python's own `await` refuses a coroutine that is awaited elsewhere; a bare `send` would not."""
    return await coroutine


def _job(item: Any, index: int) -> Coroutine[Any, Any, Any]:
    kind = exact_type(item)
    if kind is CoroutineType:
        return _awaited(item)
    if callable(item):
        return _run(item)
    raise TypeError(
        f"parallel(): item {index} is a value ({type(item).__name__}), not something to run; "
        "use lambda: agent(…) or agent(…)"
    )


async def _flow(item: Any, index: int, steps: list[tuple[Callable[..., Any], int]]) -> Any:
    value = item
    for stage, arity in steps:
        value = await _run(stage, *(value, item, index)[:arity])
    return value


def _arity(stage: Any, number: int) -> int:
    """How many of (previous, item, index) a stage takes: its positional parameters without defaults, at least one."""
    if not callable(stage):
        raise TypeError(f"pipeline(): stage {number} is no function but {type(stage).__name__}")
    if type(stage) is not FunctionType:
        return 1
    code = stage.__code__
    required = code.co_argcount - len(stage.__defaults__ or ())
    if required > 3:
        raise TypeError(
            f"pipeline(): stage {number} takes {required} parameters; at most (previous, item, index)"
        )
    if code.co_argcount == 0 and not code.co_flags & _VARIABLE_ARGUMENTS:
        raise TypeError(f"pipeline(): stage {number} takes no parameters; it needs (previous)")
    return max(1, required)


_VARIABLE_ARGUMENTS = 0x04


def _settle(outcomes: list[Outcome], failed: Callable[[int, Exception], None]) -> list[Any]:
    """The values in order. A failed one is None and is logged; a ceiling is raised, now that all others ended."""
    for outcome in outcomes:
        if isinstance(outcome.error, CEILINGS):
            raise outcome.error
    for index, outcome in enumerate(outcomes):
        if outcome.error is not None:
            failed(index, outcome.error)
    return [outcome.value for outcome in outcomes]
