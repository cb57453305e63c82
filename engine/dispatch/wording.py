"""What the record says of answers, usage and failures."""

from __future__ import annotations

from pydantic_core import to_json

from engine.errors import MCOError
from engine.record.events import Tokens
from engine.step import Answer, Usage
from engine.text import clean_block

MESSAGE = 4_000
"""Characters of why a step failed: an adapter may say anything."""
EXCERPT = 400
"""Characters of a prompt or an answer that the journal shows; `steps.jsonl` has the whole."""

_UNKNOWN = Tokens()


def tokens(usage: Usage) -> Tokens:
    """Usage as the record keeps it."""
    if usage == Usage():
        return _UNKNOWN
    return Tokens.model_construct(
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost=usage.cost,
    )


def sentence(error: MCOError) -> str:
    """An error and its way out in one line."""
    return f"{error} ({error.hint})" if error.hint else str(error)


def message(error: MCOError) -> str:
    """Why a step failed, as the record keeps it."""
    return clean_block(sentence(error), MESSAGE)


def excerpt(answer: Answer) -> str:
    """The beginning of an answer."""
    if isinstance(answer.value, str):
        return answer.value[:EXCERPT]
    return to_json(answer.value)[:EXCERPT].decode(errors="ignore")
