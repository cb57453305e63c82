"""A prompt as the text that it is."""

from __future__ import annotations


def inert(prompt: str) -> str:
    """With a slash in front it might be a command of the program, which asks no model; after a newline it is none."""
    return f"\n{prompt}" if prompt.startswith("/") else prompt
