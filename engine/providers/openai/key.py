"""A service's key: shown to that service, and to nobody else."""

from __future__ import annotations

SHORTEST_SECRET = 8
"""Shorter ones are placeholders, such as `none`, and words that any text may hold."""
HIDDEN = "[the API key]"


class Key:
    """The value of a key, empty where there is none. It is never printed, also not as part of something else."""

    def __init__(self, value: str) -> None:
        self._value = value.strip()

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Key({HIDDEN if self else ''})"

    @property
    def can_be_sent(self) -> bool:
        """Whether it can stand in a header."""
        return self._value.isascii() and self._value.isprintable()

    def header(self) -> dict[str, str]:
        """What the service wants to see."""
        return {"Authorization": f"Bearer {self._value}"} if self else {}

    def hide(self, text: str) -> str:
        """What the service says, without the key: some repeat it, and messages and files are passed on."""
        if len(self._value) < SHORTEST_SECRET or self._value not in text:
            return text
        return text.replace(self._value, HIDDEN)
