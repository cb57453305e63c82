"""What somebody is shown before a script runs here for the first time: what it is, what it may do, what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from engine.errors import MCOError
from engine.providers.registry import Registry
from engine.settings import Settings
from engine.source import ScriptSource
from engine.text import reveal
from workflows.cli.figures import count

_LINE_END = re.compile(r"\r\n?|\n")
"""What Python takes for the end of a line; other signs that some call one are shown."""


class Excerpt(NamedTuple):
    """The beginning of a listing: `lines` of it, out of `total`."""

    lines: Sequence[str]
    total: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out."""
        return len(self.lines) == self.total


class Listing:
    """A script's text with numbered lines; nothing in it is hidden, whatever bytes it is made of."""

    def __init__(self, source: bytes) -> None:
        text = source.decode("utf-8-sig", "backslashreplace")
        self._raw = _LINE_END.split(text.removesuffix("\n"))

    def lines(self) -> Iterator[str]:
        """Every line with its number."""
        digits = len(str(len(self._raw)))
        for number, line in enumerate(self._raw, 1):
            yield f"{number:>{digits}}  {reveal(line)}"

    def excerpt(self, rows: int, width: int) -> Excerpt:
        """As many lines as fit on so many rows of a terminal, which breaks those that are longer than it is wide."""
        shown: list[str] = []
        for line in self.lines():
            rows -= max(1, -(-cell_len(line) // width))
            if rows < 0:
                break
            shown.append(line)
        return Excerpt(shown, len(self._raw))

    @property
    def hidden(self) -> int:
        """How many of its lines hold something that a terminal would obey or hide."""
        return sum(reveal(line) != line.replace("\t", "    ") for line in self._raw)


def facts(source: ScriptSource, settings: Settings, registry: Registry) -> list[str]:
    """Which script it is, by path and whole hash, and how much it may do, a line each."""
    rows = {
        "file": reveal(str(source.path)),
        "sha-256": source.digest,
        "asks": _asked(registry),
        "access": f"{settings.access}, and no step may ask for more",
        "spends": _spending(settings),
        "steps": f"at most {settings.max_steps:,}, {settings.max_parallel:,} at once",
    }
    return [f"  {name:<8} {said}" for name, said in rows.items()]


def remark(listing: Listing, excerpt: Excerpt) -> list[str]:
    """What has to be said of the lines that are shown."""
    lines: list[str] = []
    if not excerpt.is_whole:
        lines.append(f"… {len(excerpt.lines)} of {count(excerpt.total, 'line')}; s shows all of them")
    if listing.hidden:
        lines.append(
            f"{count(listing.hidden, 'line')} with signs that a terminal hides; <U+…> stands for one"
        )
    return lines


def _asked(registry: Registry) -> str:
    """Whom steps go to that name nobody, and whom they may name."""
    try:
        default = registry.default()
    except MCOError as error:
        return reveal(f"nobody: {error.what}")
    others = [name for name, _, readiness in registry.readiness() if readiness.ready and name != default]
    named = f", unless a step names {_either(others)}" if others else ""
    return reveal(default + named)


def _either(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _spending(settings: Settings) -> str:
    ceilings: list[str] = []
    if settings.budget is not None:
        ceilings.append(count(settings.budget, "token"))
    if settings.max_cost is not None:
        ceilings.append(f"${settings.max_cost:.2f}")
    if not ceilings:
        return "no ceiling (set one with --budget or --max-cost)"
    return f"at most {' and '.join(ceilings)}"
