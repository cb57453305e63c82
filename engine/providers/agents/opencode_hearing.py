"""Listens to OpenCode: its events, what came of them, what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.errors import Reason, StepFailed
from engine.process import Exit
from engine.providers.agents.doings import noting, saying, using
from engine.providers.agents.event import Event, amount_of, count_of, part_of, text_of, total
from engine.providers.agents.failures import crash, failure
from engine.providers.agents.said import Said
from engine.providers.base import Progress
from engine.step import Answer, Usage

_SENSELESS = 5
"""So many answers in a row that it cannot read: it would ask for more of them for ever, and each may cost."""
_BY_NAME: Mapping[str, Reason] = {
    "ProviderAuthError": "auth",
    "ContextOverflowError": "refused",
    "MessageOutputLengthError": "bad_output",
}


class OpenCodeHearing:
    """One run. It has no last event: a whole run ends with a step whose reason is `stop`, and exit code 0."""

    def __init__(self) -> None:
        self._session: str | None = None
        self._said = Said()
        self._reason = ""
        self._senseless = 0
        self._error: Event | None = None
        self._usage = Usage()

    def line(self, event: Event) -> Iterator[Progress]:
        """One event. StepFailed (`bad_output`) when it asks again and again without getting anywhere."""
        self._session = text_of(event, "sessionID") or self._session
        part = part_of(event, "part")
        match event.get("type"):
            case "text":
                text = text_of(part, "text")
                self._said.add(text)
                self._senseless = 0
                yield saying(text)
            case "tool_use":
                self._said.clear()
                self._senseless = 0
                yield using(text_of(part, "tool"), part_of(part, "state", "input"))
            case "step_finish":
                self._finish(part)
            case "error":
                self._error = part_of(event, "error")
                yield noting(_sentence(self._error))
            case _:
                pass

    def _finish(self, step: Event) -> None:
        self._reason = text_of(step, "reason")
        self._usage += _usage(step)
        if self._reason == "unknown":
            self._senseless += 1
        if self._senseless >= _SENSELESS:
            raise StepFailed("bad_output", "the service's answers cannot be read")

    def answer(self, ended: Exit) -> Answer:
        """What came of it. StepFailed unless exit code, last step and text all say that it went well."""
        if self._error is not None:
            raise _failure(self._error)
        if ended.code != 0 or not self._reason:
            raise crash(ended)
        text = self._said.text("\n")
        if self._reason != "stop" or not text.strip():
            raise _unfinished(self._reason)
        return Answer(value=text, usage=self._usage, session_id=self._session)


def _usage(step: Event) -> Usage:
    """Of one step. Its input leaves out what was cached, its output what was thought; a cost of 0 is an unknown one."""
    tokens = part_of(step, "tokens")
    read, written = (count_of(part_of(tokens, "cache"), name) for name in ("read", "write"))
    thought = count_of(tokens, "reasoning")
    return Usage(
        input_tokens=total(count_of(tokens, "input"), read, written),
        cached_tokens=read,
        output_tokens=total(count_of(tokens, "output"), thought),
        reasoning_tokens=thought,
        cost=amount_of(step, "cost") or None,
    )


def _sentence(error: Event) -> str:
    return text_of(part_of(error, "data"), "message") or text_of(error, "name")


def _failure(error: Event) -> StepFailed:
    data = part_of(error, "data")
    otherwise: Reason = _BY_NAME.get(text_of(error, "name"), "crashed")
    return failure(
        _sentence(error), status=count_of(data, "statusCode"), retry_after=_wait(data), otherwise=otherwise
    )


def _wait(data: Event) -> float | None:
    """The seconds that the service asked for in a header."""
    asked = text_of(part_of(data, "responseHeaders"), "retry-after")
    return float(asked) if asked.isdecimal() and len(asked) < 10 else None


def _unfinished(reason: str) -> StepFailed:
    match reason:
        case "length":
            return StepFailed("bad_output", "the answer is longer than the model may write")
        case "content-filter":
            return StepFailed("refused", "the model declined to answer")
        case _:
            return StepFailed("bad_output", "it answered nothing")
