"""What the record says of answers and failures."""

from __future__ import annotations

from pydantic_core import to_json

from engine.errors import MCOError
from engine.step import Answer
from engine.text import clean_block

MESSAGE = 4_000
"""Characters of why a step failed: an adapter may say anything."""
EXCERPT = 400
"""Characters of a prompt or an answer that the journal shows; `steps.jsonl` has the whole."""


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
