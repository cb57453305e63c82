"""One figure: what was measured, its floor in the same run, the ratio between them and the ratio that was promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`ours` and `floor` in one unit; `most` is the highest ratio that was promised, infinite when none was."""

    what: str
    floor_name: str
    ours: float
    floor: float
    unit: str
    most: float

    @property
    def ratio(self) -> float:
        """How many floors it costs."""
        return self.ours / self.floor

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return self.ratio <= self.most

    def row(self) -> str:
        """As a line of a Markdown table."""
        verdict = "–" if self.most == inf else "yes" if self.kept else "**no**"
        most = "–" if self.most == inf else f"{self.most:g}"
        return (
            f"| {self.what} | {self.ours:.4g} {self.unit} | {self.floor_name} | {self.floor:.4g} {self.unit} "
            f"| {self.ratio:.2f} | {most} | {verdict} |"
        )


def best(
    ours: Callable[[], float], floor: Callable[[], float], rounds: int, times: int = 1
) -> tuple[float, float]:
    """The best of both, taken in turns: what a busy machine adds is noise, and falls on either by chance.

    A round's floor is the mean of so many `times` as take about as long as ours: a moment of quiet that is long enough
    for the one is long enough for the other.
    """
    pairs = [(ours(), sum(floor() for _ in range(times)) / times) for _ in range(rounds)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    head = "| what | mco | floor | costs | ratio | at most | kept |\n|---|---:|---|---:|---:|---:|---|"
    return "\n".join([head, *(figure.row() for figure in figures)])
