"""What a service says instead of an answer, as a failure with one of our reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from pydantic_core import from_json

from engine.errors import StepFailed
from engine.json_value import is_list, is_object
from engine.providers.agents.event import text_of
from engine.providers.agents.failures import failure

# A pattern is a text: it is compiled when something fails, not when mco starts.
_TOO_LONG = (
    r"context.{0,3}(?:length|size|window)|prompt is too long|reduce the length|"
    r"(?:too many|maximum|exceeds?)[\w ()]{0,40} tokens"
)


def refusal(status: int, body: str, headers: Mapping[str, str], now: float) -> StepFailed:
    """The failure of a request that got this instead of an answer. `now` is in seconds since the epoch."""
    try:
        document = from_json(body)
    except ValueError:
        document = body  # a proxy's page, or a sentence
    said = _sentence(document) or f"it answered with status {status}"
    return _failure(said, status, retry_after(headers, now))


def complaint(document: Any) -> StepFailed:
    """The failure that a service names in the middle of its stream."""
    status = document.get("code") if is_object(document) else None
    known = status if type(status) is int and 400 <= status < 600 else None
    return _failure(_sentence(document) or "it broke off without a word", known, None)


def _failure(said: str, status: int | None, wait: float | None) -> StepFailed:
    if status in (None, 400, 413, 422) and re.search(_TOO_LONG, said, re.IGNORECASE):
        return StepFailed(
            "unsupported", f"the prompt is longer than the model can take: {said}"[:600],
            hint="shorten the prompt, or name a model with more room",
        )  # fmt: skip
    return failure(said, status=status, retry_after=wait, otherwise="network")


def _sentence(document: Any) -> str:
    """What a service says went wrong, in whichever of the usual shapes: `error` or not, with a code or not."""
    if isinstance(document, str):
        return document
    if is_list(document):
        return _sentence(document[0]) if document else ""
    if not is_object(document):
        return ""
    inner = document.get("error", document.get("detail"))
    if inner:
        return _sentence(inner)
    message = text_of(document, "message") or text_of(document, "msg")
    kind = text_of(document, "code") or text_of(document, "type")
    return f"{message} ({kind})" if message and kind and kind not in message else message or kind


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that a service asks to wait, in any of the ways to say so; None when it does not."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if isfinite(seconds) and seconds >= 0 else None
    until = _moment(headers.get("retry-after"))
    if until is None:
        return None
    # By the service's own clock, where it says what that shows.
    shown = _moment(headers.get("date"))
    return max(0.0, until - (now if shown is None else shown))


def _moment(text: str | None) -> float | None:
    from email.utils import mktime_tz, parsedate_tz  # only who has to wait pays for it

    parsed = parsedate_tz(text) if text else None
    try:
        return None if parsed is None else float(mktime_tz(parsed))
    except (ValueError, OverflowError):
        return None
