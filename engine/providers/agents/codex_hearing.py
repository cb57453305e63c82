"""Listens to Codex: its events, what came of them, what it cost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic_core import from_json

from engine.errors import StepFailed
from engine.process import Exit
from engine.providers.agents.doings import noting, saying, using
from engine.providers.agents.event import Event, count_of, part_of, text_of
from engine.providers.agents.failures import crash, failure
from engine.providers.base import Progress
from engine.step import Answer, Usage

_RETRY = re.compile(r"Reconnecting\.\.\. (\d+)/\d+")
_SIGNED_OUT = re.compile(r"unexpected status 40[13]\b")
_TOOLS = frozenset({"command_execution", "file_change", "mcp_tool_call", "web_search"})


class CodexHearing:
    """One run: the last message is the answer, once the turn has been completed."""

    def __init__(self) -> None:
        self._session: str | None = None
        self._text = ""
        self._usage: Usage | None = None
        self._failed: str | None = None
        self._told: set[str] = set()

    def line(self, event: Event) -> Iterator[Progress]:
        """One event. StepFailed (`auth`) when it would only try again what cannot heal."""
        match event.get("type"):
            case "thread.started":
                self._session = text_of(event, "thread_id") or None
            case "item.started" | "item.completed":
                yield from self._item(part_of(event, "item"), finished=event.get("type") == "item.completed")
            case "turn.completed":
                self._usage = _usage(part_of(event, "usage"))
            case "turn.failed":
                self._failed = text_of(part_of(event, "error"), "message") or "the turn failed"
            case "error":
                yield noting(_notice(text_of(event, "message")))
            case _:
                pass

    def _item(self, item: Event, *, finished: bool) -> Iterator[Progress]:
        kind = text_of(item, "type")
        if kind in _TOOLS:
            name = text_of(item, "id")
            if name not in self._told:
                self._told.add(name)
                yield using(text_of(item, "tool") or kind, item)
        elif finished and kind == "agent_message":
            self._text = text_of(item, "text")
            yield saying(self._text)
        elif finished and kind == "error":  # a warning, whatever it calls itself
            yield noting(text_of(item, "message"))

    def answer(self, ended: Exit) -> Answer:
        """What came of it. StepFailed unless exit code, completed turn and text all say that it went well."""
        if self._failed is not None:
            raise _failure(self._failed)
        if ended.code != 0 or self._usage is None:
            raise crash(ended._replace(errors=_without_notices(ended.errors)))
        if not self._text.strip():
            raise StepFailed("bad_output", "it answered nothing")
        return Answer(value=self._text, usage=self._usage, session_id=self._session)


def _usage(usage: Event) -> Usage:
    """Of the whole thread, which is this run alone; its input counts have the cached tokens in them."""
    return Usage(
        input_tokens=count_of(usage, "input_tokens"),
        cached_tokens=count_of(usage, "cached_input_tokens"),
        output_tokens=count_of(usage, "output_tokens"),
        reasoning_tokens=count_of(usage, "reasoning_output_tokens"),
    )


def _notice(message: str) -> str:
    """What it says of an error that it tries again after."""
    attempt = _RETRY.match(message)
    # The first may be an old token, which it renews by itself.
    if attempt and int(attempt[1]) > 1 and _SIGNED_OUT.search(message):
        raise failure(message.partition("(")[2].removesuffix(")"))
    return message


def _failure(said: str) -> StepFailed:
    """Of a request that the service calls wrong, the program hands on the whole error document."""
    try:
        document = from_json(said)
    except ValueError:
        return failure(said)
    return failure(text_of(part_of(document, "error"), "message") or said, status=400)


def _without_notices(errors: str) -> str:
    lines = [line for line in errors.splitlines() if line.strip() and not line.startswith("WARNING:")]
    return "\n".join(lines)
