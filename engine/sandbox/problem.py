"""One thing wrong in a script, as the worker finds it and the host reads it. No imports: the worker starts fast."""

from __future__ import annotations

import ast
from typing import NamedTuple

LINE_SHOWN = 200
"""So many characters of a line are shown: of a longer one those around the problem."""
_BEFORE = 100


class Problem(NamedTuple):
    """`line` and `column` count from 1; 0 means the script as a whole. `source` begins `skipped` characters in."""

    line: int
    column: int
    message: str
    hint: str | None
    source: str
    skipped: int


class Problems:
    """Collects what is wrong in one script, each thing once."""

    def __init__(self, text: str) -> None:
        self._lines = lines_of(text)
        self._found: dict[tuple[int, int, str], Problem] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, message: str, hint: str | None = None, *, line: int = 0, column: int = 0) -> None:
        """Something is wrong at a place, or with the whole."""
        whole = self.line(line).rstrip()
        skipped = max(0, min(column - 1 - _BEFORE, len(whole) - LINE_SHOWN))
        shown = whole[skipped : skipped + LINE_SHOWN]
        problem = Problem(line, column, message, hint, shown, skipped)
        self._found.setdefault((line, column, message), problem)

    def at(self, node: ast.AST, message: str, hint: str | None = None) -> None:
        """Something is wrong with a node."""
        line = getattr(node, "lineno", 0)
        before = self.line(line).encode()[: getattr(node, "col_offset", 0)]
        column = len(before.decode(errors="replace")) + 1 if line else 0
        self.add(message, hint, line=line, column=column)

    def on(self, line: int) -> bool:
        """Whether something is wrong on a line already."""
        return any(problem.line == line for problem in self._found.values())

    def line(self, number: int) -> str:
        """The text of a line; empty where there is none."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def sorted(self) -> list[Problem]:
        """All of them in the order of the lines; at most 100, which is more than anybody reads."""
        return sorted(self._found.values(), key=lambda problem: problem[:2])[:100]


def lines_of(text: str) -> list[str]:
    """The lines of a text as Python's parser counts them: a form feed, for one, does not end a line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
