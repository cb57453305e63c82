"""When an attempt that failed is tried again, and after how long. Pure: no clock, no randomness of its own."""

from __future__ import annotations

from engine.errors import Reason

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
LONGEST_PATIENCE = 600.0
"""A provider that asks for a longer wait than this (seconds) is not waited for, unless the user wants it to be."""

HEALS = frozenset[Reason]({"timeout", "stalled", "rate_limited", "network", "bad_output"})
HEALS_ONCE = frozenset[Reason]({"crashed"})


def delay_before_retry(
    reason: Reason,
    attempt: int,
    retries: int,
    retry_after: float | None,
    jitter: float,
    *,
    patience: float = LONGEST_PATIENCE,
) -> float | None:
    """Seconds until the next attempt after attempt number `attempt` (from 1) failed, or None to give up.

    Exponential with full jitter (`jitter` in 0…1); a provider's own retry-after is honoured up to `patience`.
    """
    if attempt > _allowed(reason, retries, retry_after):
        return None
    if reason == "bad_output":
        return 0.0  # the model is told what was wrong; waiting would not help it
    if retry_after is not None:
        return retry_after + jitter if retry_after <= patience else None
    return min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)) * (0.5 + jitter / 2)


def _allowed(reason: Reason, retries: int, retry_after: float | None) -> int:
    if reason in HEALS:
        return retries
    heals_once = reason in HEALS_ONCE or (reason == "quota" and retry_after is not None)
    return min(retries, 1) if heals_once else 0
