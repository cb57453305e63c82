"""Numbers as people read them. What is not known is a dash, never a zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.step import Usage

UNKNOWN = "–"


def duration(seconds: float | None) -> str:
    """`0.4s`, `12s`, `1m 20s`, `2h 05m`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02}m"


def age(seconds: float) -> str:
    """How long ago: `just now`, `5m ago`, `3h ago`, `2d ago`."""
    if seconds < 60:
        return "just now"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit} ago"
    raise AssertionError(seconds)


def amount(number: int | None) -> str:
    """`950`, `4.1k`, `120k`, `1.2M`."""
    if number is None:
        return UNKNOWN
    if number < 1_000:
        return str(number)
    for unit, size in (("k", 1_000), ("M", 1_000_000)):
        if number < 999.5 * size or unit == "M":
            scaled = number / size
            return (
                f"{scaled:.0f}{unit}" if scaled >= 99.95 else f"{scaled:.1f}{unit}".replace(f".0{unit}", unit)
            )
    raise AssertionError(number)


def size(number: int) -> str:
    """Bytes: `812 B`, `4.1 KiB`, `1.2 GiB`."""
    scaled = float(number)
    for unit in ("B", "KiB", "MiB"):
        if scaled < 1024:
            return f"{number} B" if unit == "B" else f"{scaled:.1f} {unit}"
        scaled /= 1024
    return f"{scaled:.1f} GiB"


def spending(usage: Usage, unmeasured: int = 0) -> str:
    """`120k tokens · $0.42`; `≥` where some steps did not say what they used."""
    least = "≥" if unmeasured and usage.tokens is not None else ""
    words = f"{least}{amount(usage.tokens)} tokens"
    return words if usage.cost is None else f"{words} · {least}${usage.cost:.2f}"


def count(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
