"""A text file as numbered lines: what is searched, quoted and compared word for word."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

Kind = Literal["prose", "code"]
MAXIMUM_BYTES = 2 * 1024 * 1024
"""Larger files are data or generated; they are left out."""

_PROSE_SUFFIXES = ".md .markdown .mdx .rst .txt .text .adoc .asciidoc .org .tex .html .htm .xhtml"
_CODE_SUFFIXES = """
.py .pyi .js .jsx .mjs .cjs .ts .tsx .go .rs .java .kt .kts .swift .scala .c .h .cc .cpp .hpp .cs .rb .php .lua .pl
.ex .exs .erl .hs .ml .clj .r .jl .sh .bash .zsh .fish .ps1 .sql .toml .yaml .yml .ini .cfg .proto .graphql .css
.scss .vue .svelte .dockerfile .mk .cmake .gradle .tf .nix
"""
_PROSE_NAMES = "readme changelog changes history news license licence contributing authors notice"
_CODE_NAMES = "makefile dockerfile justfile"
_PROSE = frozenset(_PROSE_SUFFIXES.split())
_CODE = frozenset(_CODE_SUFFIXES.split())
_BARE_PROSE = frozenset(_PROSE_NAMES.split())
_BARE_CODE = frozenset(_CODE_NAMES.split())
_HTML = frozenset((".html", ".htm", ".xhtml"))
_HTML_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_HTML_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def kind_of(name: str) -> Kind | None:
    """Whether a file of this name holds prose or code; None for what is not searched, minified files among it."""
    path = PurePosixPath(name.lower())
    if path.suffix in _PROSE or path.name in _BARE_PROSE:
        return "prose"
    if ".min." in path.name:
        return None
    return "code" if path.suffix in _CODE or path.name in _BARE_CODE else None


@dataclass(frozen=True, slots=True)
class Document:
    """A file's lines as they are read by people: of HTML only the text, on the lines where it stands."""

    lines: tuple[str, ...]

    def find(self, quote: str, near: int) -> int | None:
        """The line (from 1) where the quote begins, word for word but for white space; the nearest to `near`."""
        wanted = " ".join(quote.split())
        if not wanted:
            return None
        text, starts, numbers = self._flow()
        found: list[int] = []
        at = text.find(wanted)
        while at >= 0:
            if _whole_words(text, at, at + len(wanted)):
                found.append(numbers[bisect_right(starts, at) - 1])
            at = text.find(wanted, at + 1)
        return min(found, key=lambda number: abs(number - near), default=None)

    def _flow(self) -> tuple[str, list[int], list[int]]:
        """All words with single spaces between; where each line that has words starts in it, and its number."""
        pieces: list[str] = []
        starts: list[int] = []
        numbers: list[int] = []
        length = 0
        for number, line in enumerate(self.lines, 1):
            words = " ".join(line.split())
            if words:
                pieces.append(words)
                starts.append(length)
                numbers.append(number)
                length += len(words) + 1
        return " ".join(pieces), starts, numbers


def _whole_words(text: str, start: int, end: int) -> bool:
    cut_before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    cut_after = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
    return not (cut_before or cut_after)


def read_document(path: Path) -> Document | None:
    """A text file; None when it is binary, not UTF-8, too large, gone or no regular file."""
    try:
        if not path.is_file() or path.stat().st_size > MAXIMUM_BYTES:
            return None
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    if "\0" in text:
        return None
    if path.suffix.lower() in _HTML:
        text = _readable(text)
    return Document(tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")))


def _readable(markup: str) -> str:
    for pattern in (_HTML_HIDDEN, _HTML_TAG):
        markup = pattern.sub(lambda match: " " + "\n" * match.group().count("\n"), markup)
    return "\n".join(html.unescape(line) for line in markup.split("\n"))
