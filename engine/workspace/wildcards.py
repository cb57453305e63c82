"""One pattern of a `.gitignore` as a regular expression, read as git reads it: byte by byte, with its own brackets."""

from __future__ import annotations

import re
import string
from typing import NamedTuple

_NO_SLASH = "[^/]"
_BYTES = frozenset(range(256))
_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, (*range(32), 127))),
    "digit": string.digits,
    "graph": string.ascii_letters + string.digits + string.punctuation,
    "lower": string.ascii_lowercase,
    "print": string.ascii_letters + string.digits + string.punctuation + " ",
    "punct": string.punctuation,
    "space": " \t\n\r\v\f",
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}
_STARS = re.compile(r"\*+")


class Wildcard(NamedTuple):
    """What a pattern says: the expression that a whole path has to match, and what that means for it."""

    expression: str
    takes_back: bool
    """It began with `!`: what it matches is not chosen, whatever patterns before it say."""
    only_folders: bool


def wildcard(pattern: str) -> Wildcard | None:
    """A pattern understood; None for one that says nothing, as a comment. ValueError for one that can match nothing.

    Every character of the pattern stands for one byte.
    """
    if pattern.startswith("#") or not pattern.strip(" "):
        return None
    rest = _without_spaces(pattern.removesuffix("\r"))
    takes_back = rest.startswith("!")
    rest = rest.removeprefix("!")
    only_folders = rest.endswith("/")
    rest = rest.removesuffix("/")
    if not rest.strip("/"):
        raise ValueError("it names nothing")
    if "/" in rest:
        expression = _Translation(rest.removeprefix("/")).expression()
    else:  # a name alone counts in every folder
        expression = "(?:.*/)?" + _Translation(rest).expression()
    return Wildcard(f"(?s){expression}", takes_back, only_folders)


def _without_spaces(pattern: str) -> str:
    """Spaces at the end do not count, unless a backslash keeps them."""
    bare = pattern.rstrip(" ")
    escaped = (len(bare) - len(bare.rstrip("\\"))) % 2
    return bare + " " if escaped and len(bare) < len(pattern) else bare


class _Translation:
    """Goes through one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def expression(self) -> str:
        pieces: list[str] = []
        while self._at < len(self._pattern):
            match self._pattern[self._at]:
                case "*":
                    pieces.append(self._stars())
                case "?":
                    self._at += 1
                    pieces.append(_NO_SLASH)
                case "[":
                    self._at += 1
                    pieces.append(self._brackets())
                case _:
                    pieces.append(_literal(self._one()))
        return "".join(pieces)

    def _one(self) -> str:
        """The next character, or the one that a backslash keeps."""
        if self._pattern[self._at] == "\\":
            self._at += 1
        if self._at >= len(self._pattern):
            raise ValueError("it ends in the middle")
        self._at += 1
        return self._pattern[self._at - 1]

    def _stars(self) -> str:
        match = _STARS.match(self._pattern, self._at)
        start, end = self._at, self._at + 1 if match is None else match.end()
        self._at = end
        whole = self._pattern[start - 1 : start] in ("", "/") and self._pattern[end : end + 1] in ("", "/")
        if end - start == 1 or not whole:
            return f"{_NO_SLASH}*"
        if end == len(self._pattern):
            return ".*"
        self._at += 1  # with its slash it may also stand for no folder at all
        return "(?:.*/)?"

    def _brackets(self) -> str:
        """The bytes between brackets, written out: what a `]`, `-` or `^` means depends on where it stands."""
        inverted = self._pattern[self._at : self._at + 1] in ("!", "^")
        self._at += inverted
        first = self._at
        allowed: set[int] = set()
        before: str | None = None
        while self._peek() != "]" or self._at == first:
            if self._peek() == "-" and before is not None and self._peek(1) != "]":
                self._at += 1
                after = self._one()
                if after < before:
                    raise ValueError("a range in brackets is the wrong way round")
                allowed.update(range(ord(before), ord(after) + 1))
                before = None
            elif self._pattern.startswith("[:", self._at):
                allowed.update(map(ord, self._class()))
                before = None
            else:
                before = self._one()
                allowed.add(ord(before))
        self._at += 1
        chosen = (_BYTES - allowed if inverted else allowed) - {ord("/")}
        listed = "".join(f"\\x{{{byte:x}}}" for byte in sorted(chosen))
        if not chosen:
            raise ValueError("nothing is in the brackets")
        return f"[{listed}]"

    def _peek(self, ahead: int = 0) -> str:
        if self._at + ahead >= len(self._pattern):
            raise ValueError("a bracket is not closed")
        return self._pattern[self._at + ahead]

    def _class(self) -> str:
        end = self._pattern.find("]", self._at)
        name = self._pattern[self._at + 2 : end - 1]
        if end < 0 or self._pattern[end - 1] != ":" or name not in _CLASSES:
            raise ValueError("a class in brackets is unknown")
        self._at = end + 1
        return _CLASSES[name]


def _literal(character: str) -> str:
    return character if character.isalnum() and character.isascii() else f"\\x{{{ord(character):x}}}"
