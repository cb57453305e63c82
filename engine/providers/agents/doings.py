"""What a program says that it is doing, in lines to show."""

from __future__ import annotations

from engine.providers.agents.event import Event, text_of
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
