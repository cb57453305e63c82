"""What a program says went wrong, as a failure with one of our reasons."""

from __future__ import annotations

import re

from engine.errors import Reason, StepFailed
from engine.process import Exit

_LONGEST = 500
# Patterns are texts: they are compiled when something fails, not when mco starts.
_STATUS = r"\b(?:status|error|code)\b\W{0,4}(\d{3})\b"
_BY_STATUS: dict[int, Reason] = {
    400: "refused",
    401: "auth",
    402: "quota",
    403: "auth",
    404: "not_found",
    408: "network",
    413: "refused",
    422: "refused",
    429: "rate_limited",
}
# Looked for before the status: services say 429 for both, and only one of them heals by waiting a little.
_QUOTA = (
    r"usage limit|hit your \S* ?limit|insufficient.quota|credit balance|out of credits|billing hard limit|"
    r"quota exceeded|exceeded your \w+ quota"
)
_SIGNED_OUT = (
    r"not (?:logged|signed) in|please (?:run )?/?log ?in|authenticat|unauthori[sz]ed|"
    r"missing environment variable|(?:missing|invalid|incorrect|no) api.?key"
)
_CUT_OFF = (
    r"overloaded|high demand|econn\w+|enotfound|connection|network|disconnected|terminated|timed out|"
    r"malformed response|fetch failed|socket"
)
_BY_WORDS: tuple[tuple[Reason, str], ...] = (
    ("auth", _SIGNED_OUT),
    ("rate_limited", r"rate.?limit|too many requests"),
    ("network", _CUT_OFF),
)
_WAIT = r"(?:try again in|retry in|reset after) ((?:\d+(?:\.\d+)? ?[a-z]+[ ,]*(?:and )?)+)"
_SPAN = r"(\d+(?:\.\d+)?) ?(ms|[smhd])"
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def failure(
    said: str,
    *,
    status: int | None = None,
    retry_after: float | None = None,
    otherwise: Reason = "crashed",
) -> StepFailed:
    """A failure from a program's own sentence, and the HTTP status of its model's service where it says one."""
    sentence = " ".join(said.split())[:_LONGEST] or "it failed without a word"
    if status is None and (found := _found(_STATUS, sentence)):
        status = int(found[1])
    reason = _reason(sentence, status) or otherwise
    waits = reason in ("rate_limited", "quota", "network")
    return StepFailed(reason, sentence, retry_after=(retry_after or _wait(sentence)) if waits else None)


def crash(ended: Exit) -> StepFailed:
    """A failure of a program that ended without saying so in its events: its exit code and last complaint."""
    ending = f"signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
    complaint = ended.errors[-_LONGEST:]
    if not complaint:
        return StepFailed("crashed", f"it ended with {ending} and without an answer")
    found = failure(complaint)
    return StepFailed(found.reason, f"{ending}: {found.what}", retry_after=found.retry_after)


def _reason(sentence: str, status: int | None) -> Reason | None:
    if _found(_QUOTA, sentence):
        return "quota"
    if status is not None and status >= 500:
        return "network"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return next((reason for reason, words in _BY_WORDS if _found(words, sentence)), None)


def _found(pattern: str, sentence: str) -> re.Match[str] | None:
    return re.search(pattern, sentence, re.IGNORECASE)


def _wait(sentence: str) -> float | None:
    """The seconds that a sentence asks to wait, as in `try again in 1 hour 5 minutes`."""
    found = _found(_WAIT, sentence)
    if found is None:
        return None
    spans = re.findall(_SPAN, found[1], re.IGNORECASE)
    return sum(float(number) * _SECONDS[unit.lower()] for number, unit in spans) or None
