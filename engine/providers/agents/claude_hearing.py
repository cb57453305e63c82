"""Listens to Claude Code: its events, what came of them, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from engine.errors import StepFailed
from engine.json_value import is_list
from engine.process import Exit
from engine.providers.agents.doings import doings_in, noting
from engine.providers.agents.event import (
    Event,
    amount_of,
    count_of,
    part_of,
    text_of,
    total,
)
from engine.providers.agents.failures import crash, failure
from engine.providers.base import Progress
from engine.step import Answer, Usage

_SIGNED_OUT = (401, 403)
_ANSWERING = "StructuredOutput"
"""The tool by which it answers where a schema is given."""


class ClaudeHearing:
    """One run. The last line of a whole one is its `result`; `clock` gives the time in seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._session: str | None = None
        self._model: str | None = None
        self._result: Event | None = None
        self._retry_after: float | None = None
        self._used_up = False

    def line(self, event: Event) -> Iterator[Progress]:
        """One event. StepFailed (`auth`) when it would only try again what cannot heal."""
        match event.get("type"):
            case "system":
                yield from self._system(event)
            case "assistant":
                yield from self._assistant(event)
            case "rate_limit_event":
                self._limit(part_of(event, "rate_limit_info"))
            case "result":
                self._result = event
                self._session = text_of(event, "session_id") or self._session
            case _:
                pass

    def _system(self, event: Event) -> Iterator[Progress]:
        match event.get("subtype"):
            case "init":
                self._session = text_of(event, "session_id") or None
                self._model = text_of(event, "model") or None
            case "api_retry":
                yield noting(self._retry(event))
            case "permission_denied":
                yield noting(f"denied: {text_of(event, 'message')}")
            case _:
                pass

    def _retry(self, event: Event) -> str:
        attempt = count_of(event, "attempt") or 1
        delay = (amount_of(event, "retry_delay_ms") or 0) / 1000
        status = count_of(event, "error_status")
        said = text_of(event, "error").replace("_", " ") or "an error"
        # The first may be an old token, which it renews by itself.
        if status in _SIGNED_OUT and attempt > 1:
            raise failure(f"the service does not take its login: {said}", status=status)
        if status == 429:
            self._retry_after = delay if delay > _own_delay(attempt) else None
        return f"the service said {status or said}; trying again in {delay:.0f} s"

    def _assistant(self, event: Event) -> Iterator[Progress]:
        message = part_of(event, "message")
        if text_of(message, "model") == "<synthetic>":
            return  # its own words about an error, which the result repeats
        if event.get("parent_tool_use_id") is None:
            self._model = text_of(message, "model") or self._model
        yield from doings_in(message, answering=_ANSWERING)

    def _limit(self, limit: Event) -> None:
        """A subscription's limit: it says when it is open again."""
        resets = amount_of(limit, "resetsAt")
        self._used_up = text_of(limit, "status") == "rejected"
        if self._used_up and resets is not None:
            self._retry_after = max(0.0, resets - self._clock())

    def answer(self, ended: Exit) -> Answer:
        """What came of it. StepFailed unless exit code, result and text all say that it went well."""
        result = self._result
        if result is None:
            raise _crash(ended)
        if result.get("is_error") is not False or result.get("subtype") != "success":
            raise self._failure(result)
        if ended.code != 0:
            raise crash(ended)
        return Answer(value=_value(result), usage=_usage(result), model=self._model, session_id=self._session)

    def _failure(self, result: Event) -> StepFailed:
        said = text_of(result, "result") or _errors(result) or text_of(result, "subtype")
        status = count_of(result, "api_error_status")
        if self._used_up and status == 429:
            return StepFailed("quota", said, retry_after=self._retry_after)
        limited = text_of(result, "subtype").startswith("error_max_")
        otherwise = "refused" if limited else "crashed"
        return failure(said, status=status, retry_after=self._retry_after, otherwise=otherwise)


def _crash(ended: Exit) -> StepFailed:
    if "cannot be used with root" in ended.errors:
        return StepFailed(
            "unsupported",
            "it does not take full access from root",
            hint="run mco as another user, or set IS_SANDBOX=1 where the machine itself is the sandbox",
        )
    return crash(ended)


def _value(result: Event) -> Any:
    """The structured value where there is one, else the text, in which mco looks for it."""
    if "structured_output" in result:
        return result["structured_output"]
    if result.get("stop_reason") == "refusal":
        raise StepFailed("refused", "the model declined to answer")
    text = text_of(result, "result")
    if not text.strip():
        raise StepFailed("bad_output", "it answered nothing")
    return text


def _usage(result: Event) -> Usage:
    """Of all models that took part, helpers included; its input counts leave the cached tokens out."""
    usage = part_of(result, "usage")
    used = _by_model(result) or {
        "input": total(*(count_of(usage, name) for name in _INPUTS)),
        "cached": count_of(usage, "cache_read_input_tokens"),
        "output": count_of(usage, "output_tokens"),
    }
    return Usage(
        input_tokens=used["input"],
        cached_tokens=used["cached"],
        output_tokens=used["output"],
        reasoning_tokens=count_of(part_of(usage, "output_tokens_details"), "thinking_tokens"),
        cost=amount_of(result, "total_cost_usd"),
    )


_INPUTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_MODEL_INPUTS = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


def _by_model(result: Event) -> dict[str, int | None]:
    models = part_of(result, "modelUsage")
    each = [part_of(models, name) for name in models]
    if not each:
        return {}
    return {
        "input": total(*(count_of(one, name) for one in each for name in _MODEL_INPUTS)),
        "cached": total(*(count_of(one, "cacheReadInputTokens") for one in each)),
        "output": total(*(count_of(one, "outputTokens") for one in each)),
    }


def _errors(result: Event) -> str:
    errors = result.get("errors")
    return "; ".join(str(error) for error in errors) if is_list(errors) else ""


def _own_delay(attempt: int) -> float:
    """The longest it waits by itself before a retry (seconds); longer than that, the service asked for it."""
    return min(32.0, 0.5 * 2 ** (attempt - 1)) * 1.3
