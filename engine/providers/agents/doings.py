"""What a program says that it is doing, in lines to show."""

from __future__ import annotations

from collections.abc import Iterator

from engine.providers.agents.event import Event, part_of, parts_of, text_of
from engine.providers.base import Progress

_SHOWN = 300
_LOOKED_AT = (
    *("file_path", "filePath", "dir_path", "path", "pattern", "command", "description", "query", "url"),
)


def saying(text: str) -> Progress:
    """It says something."""
    return Progress("text", text[:_SHOWN])


def noting(text: str) -> Progress:
    """It tells something about its work."""
    return Progress("note", text[:_SHOWN])


def using(tool: str, arguments: Event) -> Progress:
    """It uses a tool: the tool's name, and what it looks at."""
    target = next((text_of(arguments, name) for name in _LOOKED_AT if text_of(arguments, name)), "")
    return Progress("tool", f"{tool} {target}".strip()[:_SHOWN])


def doings_in(message: Event, *, answering: str) -> Iterator[Progress]:
    """What a message in Anthropic's shape says and uses, but for the tool that only gives the structured answer."""
    for block in parts_of(message, "content"):
        if block.get("type") == "text":
            yield saying(text_of(block, "text"))
        elif block.get("type") == "tool_use" and block.get("name") != answering:
            yield using(text_of(block, "name"), part_of(block, "input"))
