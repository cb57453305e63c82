"""The prompt of `mco review` and `mco run --prompt`: as typed, from stdin, or from a file."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import UsageError
from engine.primitives.arguments import MAXIMUM_PROMPT
from workflows.cli.review_options import ReviewFlags

_LARGEST = MAXIMUM_PROMPT - 10_000
"""Characters: what a flow puts around it needs some room."""
_MOST_BYTES = 4 * _LARGEST + 4
"""Enough to see that it is too long: a character has four bytes at most."""


def read_prompt(asked: ReviewFlags, folder: Path) -> str:
    """The text; empty when there is none. UsageError for one that cannot be read, or is too long."""
    if asked.prompt is not None and asked.prompt_file is not None:
        raise UsageError("--prompt and --prompt-file both say what is asked", hint="choose one of them")
    if asked.prompt is None and asked.prompt_file is None:
        return ""
    text = _read(asked, folder)
    if not text.strip():
        raise UsageError("the prompt is empty")
    if len(text) > _LARGEST:
        raise UsageError(f"the prompt has more than {_LARGEST:,} characters")
    return text


def _read(asked: ReviewFlags, folder: Path) -> str:
    if asked.prompt is not None and asked.prompt != "-":
        return _utf8(asked.prompt.encode(errors="surrogateescape"), "--prompt")
    if asked.prompt_file is None:
        return _utf8(sys.stdin.buffer.read(_MOST_BYTES), "stdin")
    path = folder / asked.prompt_file
    try:
        with path.open("rb") as file:
            return _utf8(file.read(_MOST_BYTES), str(path))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError("the prompt cannot be read", where=str(path), why=why) from None


def _utf8(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("the prompt is not UTF-8", where=where) from None
