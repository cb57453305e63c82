"""Listens to a service: the pieces of its answer, how that ended, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

from pydantic_core import from_json

from engine.errors import Reason, StepFailed
from engine.json_value import is_object
from engine.providers.agents.event import Event, count_of, part_of, parts_of, text_of
from engine.providers.base import Progress
from engine.providers.command_output import MAXIMUM_OUTPUT
from engine.providers.openai.failures import complaint
from engine.step import Answer, Usage

_WHOLE = frozenset({"stop", "eos", "eos_token", "stop_sequence", "end_turn"})
_SHOWN = 160
"""Bytes of the end of the text so far that are shown while it grows."""


class Hearing:
    """One answer. It is whole when the service said so, and only then. `hide` takes out what nobody may see."""

    def __init__(self, model: str, hide: Callable[[str], str]) -> None:
        self._model = model
        self._hide = hide
        # One piece: a list of words would take many times their memory.
        self._text = bytearray()
        self._refusal = ""
        self._ending = ""
        self._usage = Usage()

    def chunk(self, data: str) -> Iterator[Progress]:
        """One event. StepFailed when it is an error, or more than can be held."""
        try:
            chunk = from_json(data)
        except ValueError as error:
            raise StepFailed("bad_output", f"it sent what is not JSON: {error}") from None
        if not is_object(chunk):
            return
        if chunk.get("error"):
            raise complaint(chunk["error"])
        self._model = text_of(chunk, "model") or self._model
        if usage := part_of(chunk, "usage"):
            self._usage = _usage(usage)
        for choice in parts_of(chunk, "choices")[:1]:
            self._ending = text_of(choice, "finish_reason") or self._ending
            yield from self._piece(part_of(choice, "delta"))

    def _piece(self, delta: Event) -> Iterator[Progress]:
        self._refusal += text_of(delta, "refusal")[:500]
        thought = text_of(delta, "reasoning_content") or text_of(delta, "reasoning")
        if thought:
            yield Progress("text", thought[-_SHOWN:])
        piece = text_of(delta, "content")
        if not piece:
            return
        self._text += piece.encode(errors="replace")
        if len(self._text) > MAXIMUM_OUTPUT:
            raise StepFailed("bad_output", f"the answer is longer than {MAXIMUM_OUTPUT // 2**20} MiB")
        yield Progress("text", self._hide(self._text[-_SHOWN:].decode(errors="ignore")))

    def answer(self) -> Answer:
        """What came of it. StepFailed unless the service says that it is whole, and it is not empty."""
        if self._refusal:
            self._fail("refused", f"the model refuses: {self._hide(self._refusal)[:500]}")
        if self._ending not in _WHOLE:
            self._broken_off()
        if not self._text.strip():
            self._fail("bad_output", "it answered nothing")
        return Answer(value=self._hide(self._text.decode()), usage=self._usage, model=self._model)

    def _broken_off(self) -> NoReturn:
        match self._ending:
            case "":
                self._fail("network", "the stream ended before the answer did")
            case "length":
                hint = "let it be longer with `max_tokens`, or ask for less"
                self._fail("bad_output", "the answer was cut off at its longest", hint)
            case "content_filter":
                self._fail("refused", "the service's content filter held the answer back")
            case "tool_calls" | "function_call":
                self._fail("bad_output", "it wanted to use a tool, and there is none")
            case other:
                self._fail("bad_output", f"the answer is not whole: it ended with {other[:80]!r}")

    def _fail(self, reason: Reason, what: str, hint: str | None = None) -> NoReturn:
        raise StepFailed(reason, what, hint=hint, usage=self._usage)  # it was paid for all the same


def _usage(usage: Event) -> Usage:
    """As the service counts: the input has the cached tokens in it, the output those of reasoning."""
    return Usage(
        input_tokens=count_of(usage, "prompt_tokens"),
        cached_tokens=count_of(part_of(usage, "prompt_tokens_details"), "cached_tokens"),
        output_tokens=count_of(usage, "completion_tokens"),
        reasoning_tokens=count_of(part_of(usage, "completion_tokens_details"), "reasoning_tokens"),
    )
