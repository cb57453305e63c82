"""How a child that one of our limits ended becomes a failure with a reason."""

from __future__ import annotations

from engine.errors import StepFailed
from engine.process import MAXIMUM_LINE, Exit
from engine.providers.base import Question


def check_not_cut(ended: Exit, question: Question, provider: str) -> None:
    """StepFailed (`timeout`, `stalled` or `bad_output`) when it was not the child itself that ended."""
    if ended.cut == "timeout":
        raise StepFailed("timeout", f"no answer within {question.timeout:g} s", provider=provider)
    if ended.cut == "stalled":
        raise StepFailed("stalled", f"silent for {question.stall_timeout:g} s", provider=provider)
    if ended.cut == "line":
        size = f"{MAXIMUM_LINE // 2**20} MiB"
        raise StepFailed("bad_output", f"one line of its output is longer than {size}", provider=provider)
