"""One thing wrong in a script, as the worker finds it and the host reads it. No imports: the worker starts fast."""

from __future__ import annotations

import ast
from typing import NamedTuple

LINE_SHOWN = 200


class Problem(NamedTuple):
    """`line` and `column` count from 1; 0 means the script as a whole."""

    line: int
    column: int
    message: str
    hint: str | None
    source: str


class Problems:
    """Collects what is wrong in one script, each thing once."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._found: dict[tuple[int, int, str], Problem] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, message: str, hint: str | None = None, *, line: int = 0, column: int = 0) -> None:
        """Something is wrong at a place, or with the whole."""
        shown = self.line(line).rstrip()[:LINE_SHOWN]
        self._found.setdefault((line, column, message), Problem(line, column, message, hint, shown))

    def at(self, node: ast.AST, message: str, hint: str | None = None) -> None:
        """Something is wrong with a node."""
        line = getattr(node, "lineno", 0)
        before = self.line(line).encode()[: getattr(node, "col_offset", 0)]
        column = len(before.decode(errors="replace")) + 1 if line else 0
        self.add(message, hint, line=line, column=column)

    def line(self, number: int) -> str:
        """The text of a line; empty where there is none."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def sorted(self) -> list[Problem]:
        """All of them in the order of the lines; at most 100, which is more than anybody reads."""
        return sorted(self._found.values(), key=lambda problem: problem[:2])[:100]
