"""The limits of a worker as the user's settings want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.sandbox.limits import WorkerLimits

if TYPE_CHECKING:
    from engine.settings import Settings


def worker_limits(settings: Settings) -> WorkerLimits:
    """What one worker may use."""
    return WorkerLimits(
        memory_bytes=settings.memory_mb * 1024 * 1024,
        cpu_seconds=settings.cpu_seconds,
        think_seconds=settings.think_seconds,
    )
