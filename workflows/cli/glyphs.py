"""The signs and colours of the states of a step; plain letters where the terminal has no Unicode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.record.step_view import StepState


@dataclass(frozen=True, slots=True)
class Glyph:
    """A sign of one cell and the style it is shown in."""

    sign: str
    style: str


UNICODE: Mapping[StepState, Glyph] = {
    "queued": Glyph("○", "dim"),
    "running": Glyph("●", "cyan"),
    "retrying": Glyph("↻", "yellow"),
    "finished": Glyph("✓", "green"),
    "reused": Glyph("↺", "blue"),
    "failed": Glyph("✗", "red"),
    "skipped": Glyph("–", "yellow"),
    "cancelled": Glyph("◌", "dim"),
}
ASCII: Mapping[StepState, Glyph] = {
    "queued": Glyph(".", "dim"),
    "running": Glyph("*", "cyan"),
    "retrying": Glyph("~", "yellow"),
    "finished": Glyph("+", "green"),
    "reused": Glyph("=", "blue"),
    "failed": Glyph("x", "red"),
    "skipped": Glyph("-", "yellow"),
    "cancelled": Glyph("o", "dim"),
}


def glyphs_for(encoding: str | None) -> Mapping[StepState, Glyph]:
    """The signs that text in this encoding can hold."""
    try:
        "".join(glyph.sign for glyph in UNICODE.values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
