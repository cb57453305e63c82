"""Listens to Qwen Code: its events, what came of them, what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.errors import StepFailed
from engine.process import Exit
from engine.providers.agents.doings import doings_in, noting
from engine.providers.agents.event import Event, amount_of, count_of, part_of, text_of
from engine.providers.agents.failures import crash, failure
from engine.providers.base import Progress
from engine.step import Answer, Usage

_PATIENCE = 2
"""How often it may wait for a minute. That saves the work it did; ten times, as it likes to, would hide a limit."""
_LONG = 30.0
_SCHEMA, _TURNS, _CALLS = 52, 53, 55
"""Its own exit codes."""


class QwenHearing:
    """One run. The last line of a whole one is its `result`."""

    def __init__(self) -> None:
        self._session: str | None = None
        self._model: str | None = None
        self._result: Event | None = None

    def line(self, event: Event) -> Iterator[Progress]:
        """One event. StepFailed (`rate_limited`) when it has waited long enough."""
        match event.get("type"):
            case "system":
                yield from self._system(event)
            case "assistant":
                yield from doings_in(part_of(event, "message"), answering="structured_output")
            case "result":
                self._result = event
            case _:
                pass

    def _system(self, event: Event) -> Iterator[Progress]:
        match event.get("subtype"):
            case "init":
                self._session = text_of(event, "session_id") or None
                self._model = text_of(event, "model") or None
            case "retry":
                yield noting(_retry(part_of(event, "data")))
            case _:
                pass

    def answer(self, ended: Exit) -> Answer:
        """What came of it. StepFailed unless exit code, result and text all say that it went well."""
        result = self._result
        if result is None:
            raise _crash(ended)
        if result.get("is_error") is not False or result.get("subtype") != "success":
            raise _failure(result)
        if ended.code != 0:
            raise _crash(ended)
        return Answer(value=_value(result), usage=_usage(result), model=self._model, session_id=self._session)


def _retry(data: Event) -> str:
    attempt = count_of(data, "attempt") or 1
    delay = (amount_of(data, "delayMs") or 0) / 1000
    if delay >= _LONG and attempt > _PATIENCE:
        said = "the service limits how much it is asked"
        raise StepFailed("rate_limited", f"{said}, still after {_PATIENCE} long waits", retry_after=delay)
    return f"the service's answer is of no use; trying again in {delay:.0f} s"


def _failure(result: Event) -> StepFailed:
    said = text_of(part_of(result, "error"), "message") or text_of(result, "subtype")
    if "plain text instead of" in said:
        return StepFailed("bad_output", "it answered with text instead of a value that fits the schema")
    if "auth type" in said:
        return StepFailed("auth", said)
    return failure(said, otherwise="bad_output" if "empty response" in said else "crashed")


def _crash(ended: Exit) -> StepFailed:
    if ended.code == _SCHEMA:
        return StepFailed("unsupported", "it does not take the schema")
    if ended.code in (_TURNS, _CALLS):
        return StepFailed("refused", "it reached a limit of its own settings")
    return crash(ended)


def _value(result: Event) -> Any:
    """The structured value where there is one, else the text, in which mco looks for it."""
    if "structured_result" in result:
        return result["structured_result"]
    text = text_of(result, "result")
    if not text.strip():
        raise StepFailed("bad_output", "it answered nothing")
    return text


def _usage(result: Event) -> Usage:
    """Of the whole run; its input includes the cached tokens."""
    usage = part_of(result, "usage")
    return Usage(
        input_tokens=count_of(usage, "input_tokens"),
        cached_tokens=count_of(usage, "cache_read_input_tokens"),
        output_tokens=count_of(usage, "output_tokens"),
    )
