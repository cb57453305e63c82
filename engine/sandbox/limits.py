"""What one worker may use."""

from __future__ import annotations

from typing import NamedTuple


class WorkerLimits(NamedTuple):
    """What one worker may use. `think_seconds`: wall clock in which the script, not an agent, has the ball."""

    memory_bytes: int = 512 * 1024 * 1024
    cpu_seconds: int = 30
    think_seconds: float = 60.0
    frame_bytes: int = 8 * 1024 * 1024
    calls_waiting: int = 4096
