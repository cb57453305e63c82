"""Text from outside, made safe to show: no control characters, no escape sequences, nothing invisible."""

from __future__ import annotations

import re

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, clear screen
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: titles, clipboard
    r"|\x1b[ -/]*[0-~]"
)


def clean_line(text: str, limit: int = 200) -> str:
    """One line that is safe to print, cut to `limit`: no escape sequences, spaces for what is unprintable."""
    if len(text) > 4 * limit:
        text = text[: 4 * limit]
    if not text.isprintable():
        text = _ESCAPE_SEQUENCE.sub("", text)
        text = "".join(character if character.isprintable() else " " for character in text)
        text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_block(text: str, limit: int = 100_000) -> str:
    """Several lines, each cleaned as above but with its spaces and tabs kept (a tab becomes four spaces)."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "\n".join(_clean_kept(line) for line in cut.splitlines())


def _clean_kept(line: str) -> str:
    line = line.replace("\t", "    ")
    if line.isprintable():
        return line
    line = _ESCAPE_SEQUENCE.sub("", line)
    return "".join(character if character.isprintable() else " " for character in line)
