"""Text from outside, made safe to show: no control characters, no escape sequences, nothing invisible."""

from __future__ import annotations

import re

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, clear screen
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS: titles, clipboard
    r"|\x1b[ -/]*[0-~]"
)
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]")
"""Printable by name, but nobody sees them: names in a script can be made of them."""


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


def clean_output(text: str) -> str:
    """Text for a pipe or a file: nothing that would steer a terminal it may end on, and all its lines and tabs."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(_clean_kept(cell) for cell in line.split("\t")) for line in lines)


def clean_columns(line: str) -> str:
    """One line that is safe to print, with every character in its column: a space for what is unprintable."""
    if line.isprintable():
        return line
    return "".join(character if character.isprintable() else " " for character in line)


def _clean_kept(line: str) -> str:
    line = line.replace("\t", "    ")
    if line.isprintable():
        return line
    line = _ESCAPE_SEQUENCE.sub("", line)
    return "".join(character if character.isprintable() else " " for character in line)


def reveal(text: str) -> str:
    """One line, whole, with everything that a terminal obeys or hides written out, as `<U+202E>`."""
    line = text.replace("\t", "    ")
    if line.isprintable() and not _BLANK.search(line):
        return line
    return "".join(
        character if character.isprintable() and not _BLANK.match(character) else f"<U+{ord(character):04X}>"
        for character in line
    )
