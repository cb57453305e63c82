"""A document in pieces of a size that can be ranked and quoted: paragraphs of prose, blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.providers.builtin.documents import Document, Kind

MAXIMUM_LINES: dict[Kind, int] = {"prose": 14, "code": 24}
MINIMUM_WORDS: dict[Kind, int] = {"prose": 6, "code": 4}
LONGEST_LINE = 2000
"""Longer lines are data, whatever the file is called."""

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_UNDERLINE = re.compile(r"^([=\-~^\"'*+#])\1{2,}\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_LINK = re.compile(r"\[[^\]]*\]\([^)]*\)|https?://\S+|:\w+:`[^`]*`")
_LEADER = re.compile(r"\.{4,}|(?:\. ){4,}")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines `first` to `last` (from 1) of a document, below a heading."""

    first: int
    last: int
    heading: str
    text: str
    kind: Kind


def passages(document: Document, kind: Kind) -> Iterator[Passage]:
    """The passages of a document in order; tables of contents and lists of links are left out."""
    return (each for each in _blocks(document, kind) if _says_something(each))


def _blocks(document: Document, kind: Kind) -> Iterator[Passage]:
    heading = ""
    block: list[tuple[int, str]] = []
    fenced = False
    lines = (*document.lines, "")
    for number, line in enumerate(lines, 1):
        title = _title(line, block) if kind == "prose" and not fenced else None
        if title is not None or not line.strip() or len(block) >= MAXIMUM_LINES[kind]:
            yield from _close(block, heading, "code" if fenced else kind)
            block = []
        if title is not None:
            heading = title
        elif kind == "prose" and _FENCE.match(line):
            yield from _close(block, heading, "code" if fenced else kind)
            block, fenced = [], not fenced
        elif line.strip() and len(line) <= LONGEST_LINE:
            block.append((number, line))
    yield from _close(block, heading, kind)


def _title(line: str, block: list[tuple[int, str]]) -> str | None:
    """The heading that this line makes: `# Title`, or an underline that turns the line before into one."""
    match = _HEADING.match(line)
    if match:
        return match.group(1)
    if len(block) == 1 and _UNDERLINE.match(line):
        return block.pop()[1].strip()
    return None


def _close(block: list[tuple[int, str]], heading: str, kind: Kind) -> Iterator[Passage]:
    if block:
        yield Passage(block[0][0], block[-1][0], heading, "\n".join(line for _, line in block), kind)


def _says_something(passage: Passage) -> bool:
    words = _WORD.findall(passage.text)
    if len(words) < MINIMUM_WORDS[passage.kind]:
        return False
    return passage.kind == "code" or not _is_index(passage.text, len(words))


def _is_index(text: str, words: int) -> bool:
    if _LEADER.search(text):
        return True
    linked = sum(len(_WORD.findall(link)) for link in _LINK.findall(text))
    if linked > 0.6 * words:
        return True
    lines = text.splitlines()
    short = all(
        len(line.split()) <= 6 and not line.rstrip().endswith((".", "!", "?", ":", ",")) for line in lines
    )
    return len(lines) >= 3 and short
