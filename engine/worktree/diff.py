"""Reads a patch as git writes it with `--binary --full-index`. Whatever is not exactly that is refused.

A patch may have been changed by anybody since it was written; nothing is guessed here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

LINK, SUBMODULE = "120000", "160000"
Status = Literal["added", "deleted", "renamed", "changed"]

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_INDEX = re.compile(rb"index [0-9a-f]{40,64}\.\.[0-9a-f]{40,64}(?: (\d{6}))?")
_MODES = re.compile(rb"(old mode|new mode|deleted file mode|new file mode) (\d{6})")
_SIMILAR = re.compile(rb"(?:dis)?similarity index \d{1,3}%")
_BINARY = re.compile(rb"(?:literal|delta) \d+")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
_LETTERS = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}


class Span(NamedTuple):
    """Lines of the file as it was: `first` to `last`, from 1. An insertion after line n is the span (n + 1, n)."""

    first: int
    last: int


class FileDiff(NamedTuple):
    """What a patch does to one file. Names are relative to the repository's top; None where there is no file."""

    old: str | None
    new: str | None
    old_mode: str | None
    new_mode: str | None
    spans: tuple[Span, ...] = ()
    added: int = 0
    removed: int = 0
    binary: bool = False
    link: bytes | None = None
    """Where a link points that it makes or changes."""

    @property
    def path(self) -> str:
        """The name it has afterwards, or had."""
        return self.new or self.old or ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every name that it touches."""
        return tuple({name: None for name in (self.old, self.new) if name is not None})

    @property
    def status(self) -> Status:
        """What happens to the file, in a word."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "deleted"
        return "changed" if self.old == self.new else "renamed"


class PatchUnreadable(ValueError):
    """The text is no patch as we write them; the message says where."""


def parse_patch(data: bytes) -> list[FileDiff]:
    """Every file of a patch, in its order. PatchUnreadable when any line of it is not what git writes there."""
    lines = data.split(b"\n")
    if lines[-1]:
        raise PatchUnreadable("its last line is torn")
    reader = _Reader(lines[:-1])
    files: list[FileDiff] = []
    while reader.line is not None:
        files.append(_file(reader))
    return files


class _Reader:
    """The lines, one after the other."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._at = 0

    @property
    def line(self) -> bytes | None:
        return self._lines[self._at] if self._at < len(self._lines) else None

    def take(self) -> bytes:
        line = self.line
        if line is None:
            raise PatchUnreadable("it ends too early")
        self._at += 1
        return line

    def starts(self, *beginnings: bytes) -> bool:
        return self.line is not None and self.line.startswith(beginnings)

    def wrong(self) -> PatchUnreadable:
        return PatchUnreadable(f"line {self._at} is not what git writes there")


class _Header(NamedTuple):
    old: str | None
    new: str | None
    old_mode: str | None
    new_mode: str | None


def _file(reader: _Reader) -> FileDiff:
    header = _header(reader)
    diff = FileDiff(*header)
    if header.old_mode is None and header.new_mode is None and reader.starts(b"GIT binary", b"--- "):
        raise reader.wrong()  # the file on disk would say what it is: a link, perhaps
    if reader.starts(b"GIT binary patch"):
        _skip_binary(reader)
        return diff._replace(binary=True)
    if reader.starts(b"--- "):
        _check_name(reader, b"--- ", b"a/", header.old)
        _check_name(reader, b"+++ ", b"b/", header.new)
        return _hunks(reader, diff)
    return diff


def _header(reader: _Reader) -> _Header:
    both = reader.take()
    if not both.startswith(b"diff --git "):
        raise reader.wrong()
    facts: dict[bytes, bytes] = {}
    while (fact := _fact(reader)) is not None:
        for name, value in fact.items():
            if name in facts:
                raise reader.wrong()
            facts[name] = value
    if not _modes_fit(facts):
        raise reader.wrong()
    mode = facts.get(b"index")
    renamed = (facts.get(b"rename from"), facts.get(b"rename to"))
    if (renamed[0] is None) != (renamed[1] is None):
        raise reader.wrong()
    if renamed[0] is not None and renamed[1] is not None:
        old, new = _unquoted(renamed[0], reader), _unquoted(renamed[1], reader)
    else:
        old = new = _common_name(both.removeprefix(b"diff --git "), reader)
    made, gone = facts.get(b"new file mode"), facts.get(b"deleted file mode")
    return _Header(
        old=None if made else old,
        new=None if gone else new,
        old_mode=_text(gone or facts.get(b"old mode") or (None if made else mode)),
        new_mode=_text(made or facts.get(b"new mode") or (None if gone else mode)),
    )


def _modes_fit(facts: Mapping[bytes, bytes]) -> bool:
    """Whether the modes stand there as git writes them. It takes any others too, and not as they seem to be meant."""
    said = facts.keys() & {b"old mode", b"new mode", b"new file mode", b"deleted file mode", b"index"}
    if said & {b"new file mode", b"deleted file mode"}:
        return len(said) == 1 and not facts.keys() & {b"rename from", b"rename to"}
    return said in (set(), {b"index"}, {b"old mode", b"new mode"})


def _fact(reader: _Reader) -> dict[bytes, bytes] | None:
    """One line of the extended header, None when another part begins."""
    line = reader.line
    if line is None:
        return None
    if match := _MODES.fullmatch(line):
        fact = {match[1]: match[2]}
    elif match := _INDEX.fullmatch(line):
        fact = {b"index": match[1]} if match[1] else {}
    elif line.startswith((b"rename from ", b"rename to ")):
        name = line[: line.index(b" ", 7)]
        fact = {name: line[len(name) + 1 :]}
    elif _SIMILAR.fullmatch(line):
        fact = {}
    else:
        return None
    reader.take()
    return fact


def _common_name(pair: bytes, reader: _Reader) -> str:
    """The name in `a/NAME b/NAME`, which may hold spaces: both halves are the same."""
    half, odd = divmod(len(pair) - 1, 2)
    first, second = pair[:half], pair[half + 1 :]
    old, new = _unquoted(first, reader), _unquoted(second, reader)
    if odd or pair[half : half + 1] != b" " or old[:2] != "a/" or new[:2] != "b/" or old[2:] != new[2:]:
        raise reader.wrong()
    return old[2:]


def _check_name(reader: _Reader, sign: bytes, side: bytes, name: str | None) -> None:
    line = reader.take()
    if not line.startswith(sign):
        raise reader.wrong()
    said = _unquoted(line.removeprefix(sign).removesuffix(b"\t"), reader)
    if said != ("/dev/null" if name is None else side.decode() + name):
        raise reader.wrong()


def _hunks(reader: _Reader, diff: FileDiff) -> FileDiff:
    spans: list[Span] = []
    added = removed = 0
    points = diff.new_mode == LINK
    after: list[bytes] = []
    if not reader.starts(b"@@ "):
        raise reader.wrong()
    while reader.starts(b"@@ "):
        match = _HUNK.match(reader.take())
        if match is None:
            raise reader.wrong()
        old_left, new_left = int(match[2] or 1), int(match[4] or 1)
        line_number = int(match[1]) + (1 if old_left == 0 else 0)
        for sign, text in _hunk_lines(reader, old_left, new_left):
            if points and sign != b"-":
                after.append(text)
            if sign == b"+":
                added += 1
                spans.append(Span(line_number, line_number - 1))
            elif sign == b"-":
                removed += 1
                spans.append(Span(line_number, line_number))
            line_number += sign != b"+"
    link = b"\n".join(after) if points else None
    return diff._replace(spans=_merged(spans), added=added, removed=removed, link=link)


def _hunk_lines(reader: _Reader, old: int, new: int) -> Iterator[tuple[bytes, bytes]]:
    while old or new or reader.starts(b"\\"):
        line = reader.take()
        sign, text = line[:1], line[1:]
        if sign == b"\\":
            continue
        old -= sign in (b" ", b"-")
        new -= sign in (b" ", b"+")
        if sign not in (b" ", b"-", b"+") or old < 0 or new < 0:
            raise reader.wrong()
        yield sign, text


def _skip_binary(reader: _Reader) -> None:
    reader.take()
    while reader.line is not None and _BINARY.fullmatch(reader.line):
        reader.take()
        while reader.take():
            pass


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """Spans that touch, as one."""
    merged: list[Span] = []
    for span in spans:
        if merged and span.first <= merged[-1].last + 1:
            merged[-1] = Span(min(merged[-1].first, span.first), max(merged[-1].last, span.last))
        else:
            merged.append(span)
    return tuple(merged)


def _unquoted(name: bytes, reader: _Reader) -> str:
    if name.startswith(b'"'):
        inner = name[1:-1]
        if len(name) < 2 or not name.endswith(b'"') or b'"' in _ESCAPE.sub(b"", inner):
            raise reader.wrong()
        if b"\\" in _ESCAPE.sub(b"", inner):
            raise reader.wrong()
        name = _ESCAPE.sub(lambda match: bytes([_LETTERS.get(match[1]) or int(match[1], 8) & 255]), inner)
    if not name or b"\0" in name:
        raise reader.wrong()
    return os.fsdecode(name)


def _text(mode: bytes | None) -> str | None:
    return None if mode is None else mode.decode()
