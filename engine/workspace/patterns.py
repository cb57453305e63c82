"""`reads` patterns, which mean what they mean in a `.gitignore`: matched as git matches, in linear time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine.text import clean_line
from engine.workspace.wildcards import Wildcard, wildcard

EVERYTHING = "**"
_SMALL = 5_000
"""Expressions of so many characters are never too much for the engine that matches them."""


def check_patterns(patterns: list[str]) -> None:
    """ValueError, for people, when one of the patterns can match nothing or all of them are too much."""
    size = 0
    for pattern in patterns:
        try:
            understood = wildcard(_in_bytes(pattern))
        except ValueError as error:
            said = clean_line(pattern, 60)
            raise ValueError(f"{said!r} is no pattern like those of .gitignore: {error}") from None
        size += 0 if understood is None else len(understood.expression)
    if size > _SMALL:
        _matcher(tuple(patterns))


def names_that_match(patterns: tuple[str, ...], names: Iterable[str]) -> Iterator[str]:
    """Those of the names (with `/`, relative) that the patterns choose; a name with `/` at its end is a folder's.

    As in git, a folder that is chosen is chosen whole: no pattern takes a part of it back.
    """
    chosen = _matcher(patterns)
    folders: dict[str, bool] = {"": False}

    def whole(folder: str) -> bool:
        known = folders.get(folder)
        if known is None:
            known = whole(folder[: folder.rfind("/", 0, -1) + 1]) or chosen(folder)
            folders[folder] = known
        return known

    for name in names:
        if whole(name[: name.rfind("/", 0, -1) + 1]) or chosen(name):
            yield name


def _matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Says of one path alone whether the last pattern that matches it chooses it."""
    understood = [one for one in (wildcard(_in_bytes(pattern)) for pattern in patterns) if one is not None]
    files = [one for one in understood if not one.only_folders]
    for_files, for_folders = _last_match(files), _last_match(understood)

    def chosen(path: str) -> bool:
        last = for_folders(path[:-1]) if path.endswith("/") else for_files(path)
        return last is not None and not last.takes_back

    return chosen


def _last_match(wildcards: list[Wildcard]) -> Callable[[str], Wildcard | None]:
    import re2  # loaded by runs with patterns alone

    # Patterns and names are other people's: RE2 takes linear time, where Python's own engine could take for ever.
    together: Any = re2.Set.FullMatchSet()  # pyright: ignore[reportUnknownMemberType] - it has no types
    for one in wildcards:
        together.Add(one.expression)
    if not wildcards:
        return lambda path: None
    try:
        together.Compile()
    except re2.error:  # pyright: ignore[reportUnknownMemberType]
        raise ValueError("together they are too much to be matched; name folders instead") from None

    def last(path: str) -> Wildcard | None:
        found: list[int] = together.Match(_in_bytes(path))
        return wildcards[max(found)] if found else None

    return last


def _in_bytes(text: str) -> str:
    """A character for each byte, because that is what git's `?` and `[…]` stand for; names need not be UTF-8."""
    if text.isascii():
        return text
    try:
        return text.encode(errors="surrogateescape").decode("latin-1")
    except UnicodeEncodeError:  # half a character, which no name on disk holds
        return text.encode(errors="surrogatepass").decode("latin-1")
