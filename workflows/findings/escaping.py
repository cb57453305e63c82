"""Text of others inside Markdown: it is shown as it stands, and does nothing, on a terminal either.

GitHub's own notations are included.
"""

from __future__ import annotations

import re

from engine.text import clean_output

_MARKED = re.compile(r"([\\`*_\[\]<>|#~&$!])")
_BLOCK = re.compile(r"^(\d{1,9})([.)])|^([-+=])")
"""What makes a list, a heading or a rule at the beginning of a line."""
_LIVE = re.compile(
    r"@(?=[\w-])"  # a mention, or an address
    r"|(?<=:)(?=//)"  # a link without brackets
    r"|\b(?:www(?=\.)|mailto(?=:)|xmpp(?=:)|GH(?=-\d))"
    r"|#(?=\d)",  # an issue
    re.IGNORECASE,
)
_BREAK = "\u200b"
"""A space without width: services look for mentions and links in the finished text, where a backslash is long gone."""


def prose(text: str) -> str:
    """A text on one line. What stands between backticks stays code."""
    pieces = " ".join(clean_output(text).split()).split("`")
    if len(pieces) % 2 == 0:  # one is missing
        pieces = ["'".join(pieces)]
    shown = [code(piece) if number % 2 else _plain(piece) for number, piece in enumerate(pieces)]
    return _BLOCK.sub(_unblocked, "".join(shown), count=1)


def code(text: str) -> str:
    """A text on one line as code, where nothing is live; "" for nothing."""
    line = " ".join(clean_output(text).replace("`", "'").split())
    return f"`{line}`" if line else ""


def fenced(text: str) -> str:
    """Lines as a block of code, behind a fence that is longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{clean_output(text)}\n{fence}"


def _plain(text: str) -> str:
    broken = _LIVE.sub(lambda found: f"{found.group()}{_BREAK}", text)
    return _MARKED.sub(r"\\\1", broken)


def _unblocked(found: re.Match[str]) -> str:
    number, mark, sign = found.groups()
    return f"{number}\\{mark}" if number else f"\\{sign}"
