"""What a program has said since its last tool: pieces that become the answer."""

from __future__ import annotations

from engine.errors import StepFailed

MAXIMUM_TEXT = 64 * 1024 * 1024
"""Characters; a model writes a thousandth of that."""


class Said:
    """The pieces. StepFailed (`bad_output`) when they are more than anybody says."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: str) -> None:
        """One more."""
        self._size += len(piece)
        if self._size > MAXIMUM_TEXT:
            raise StepFailed("bad_output", f"its answer is longer than {MAXIMUM_TEXT:,} characters")
        self._pieces.append(piece)

    def clear(self) -> None:
        """What was said so far was not the answer."""
        self._pieces.clear()
        self._size = 0

    def text(self, between: str) -> str:
        """All of it."""
        return between.join(self._pieces)
