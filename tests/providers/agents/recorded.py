"""What each of the five programs prints, as it was recorded: a run that answers with one text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from engine.providers.agents import claude, codex, gemini, opencode, qwen
from engine.providers.agents.agent import CodingAgent
from engine.providers.base import ProviderContext
from engine.step import Usage

Event = Mapping[str, Any]


class Recording(NamedTuple):
    """One program: how its provider is built and signed in, how it begins, says a text, and ends."""

    name: str
    build: Callable[[ProviderContext], CodingAgent]
    signed_in: Mapping[str, str]
    begins: Sequence[Event]
    says: Callable[[str], Event]
    ends: Callable[[str], Event]
    usage: Usage

    def whole(self, text: str) -> list[str]:
        """The lines of a run whose answer that is."""
        return [json.dumps(event) for event in (*self.begins, self.says(text), self.ends(text))]


def _message(text: str) -> Event:
    return {"type": "assistant", "message": {"model": "m", "content": [{"type": "text", "text": text}]}}


def _result(text: str) -> Event:
    usage = {"input_tokens": 70, "cache_read_input_tokens": 30, "output_tokens": 8}
    fine = {"type": "result", "subtype": "success", "is_error": False, "result": text}
    return {**fine, "session_id": "s-1", "total_cost_usd": 0.01, "usage": usage}


def _item(text: str) -> Event:
    return {"type": "item.completed", "item": {"id": "item_1", "type": "agent_message", "text": text}}


def _turn(_text: str) -> Event:
    usage = {"input_tokens": 100, "cached_input_tokens": 30, "output_tokens": 8, "reasoning_output_tokens": 3}
    return {"type": "turn.completed", "usage": usage}


def _delta(text: str) -> Event:
    return {"type": "message", "role": "assistant", "content": text, "delta": True}


def _stats(_text: str) -> Event:
    stats = {"total_tokens": 108, "input_tokens": 100, "output_tokens": 5, "cached": 30}
    return {"type": "result", "status": "success", "stats": stats}


def _part(text: str) -> Event:
    return {"type": "text", "sessionID": "ses_1", "part": {"type": "text", "text": text}}


def _step(_text: str) -> Event:
    tokens = {"input": 70, "output": 5, "reasoning": 3, "cache": {"write": 0, "read": 30}}
    part = {"reason": "stop", "cost": 0, "tokens": tokens}
    return {"type": "step_finish", "sessionID": "ses_1", "part": part}


_INIT = {"type": "system", "subtype": "init", "session_id": "s-1", "model": "m"}
_SERVICE = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_MODEL": "m"}
_COUNTED = Usage(input_tokens=100, cached_tokens=30, output_tokens=8, reasoning_tokens=3)

RECORDINGS: Mapping[str, Recording] = {
    recording.name: recording
    for recording in (
        Recording(
            "claude", claude.build, {"ANTHROPIC_API_KEY": "k"}, [_INIT], _message, _result,
            Usage(input_tokens=100, cached_tokens=30, output_tokens=8, cost=0.01),
        ),
        Recording(
            "codex", codex.build, {"CODEX_API_KEY": "k"}, [{"type": "thread.started", "thread_id": "t-1"}],
            _item, _turn, _COUNTED,
        ),
        Recording(
            "gemini", gemini.build, {"GEMINI_API_KEY": "k"},
            [{"type": "init", "session_id": "s-1", "model": "m"}, {"type": "message", "role": "user"}],
            _delta, _stats, _COUNTED,
        ),
        Recording(
            "opencode", opencode.build, {"ANTHROPIC_API_KEY": "k"},
            [{"type": "step_start", "sessionID": "ses_1", "part": {}}], _part, _step, _COUNTED,
        ),
        Recording(
            "qwen", qwen.build, _SERVICE, [_INIT], _message, _result,
            Usage(input_tokens=70, cached_tokens=30, output_tokens=8),
        ),
    )
}  # fmt: skip
