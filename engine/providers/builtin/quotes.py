"""The task `verify`: whether quotes stand in their files, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio.to_thread

from engine.errors import StepFailed
from engine.providers.builtin.documents import read_document
from engine.providers.builtin.targets import locate
from engine.providers.builtin.tasks import Quote, VerifyTask


async def verify(task: VerifyTask, workspace: Path) -> dict[str, Any]:
    """Each quote with `verified`, `why`, and the line where it really stands."""
    checked = await anyio.to_thread.run_sync(lambda: [_check(workspace, quote) for quote in task.quotes])
    return {"checked": checked, "produced_by": "word-for-word comparison; no language model was used"}


def _check(workspace: Path, quote: Quote) -> dict[str, Any]:
    line, why = _look(workspace, quote)
    return {
        "file": quote.file,
        "line": quote.line if line is None else line,
        "quote": quote.quote,
        "verified": line is not None,
        "why": why,
    }


def _look(workspace: Path, quote: Quote) -> tuple[int | None, str]:
    try:
        document = read_document(locate(workspace, quote.file))
    except StepFailed as error:
        return None, error.what
    if document is None:
        return None, "the file is not text that can be read"
    line = document.find(quote.quote, quote.line)
    if line is None:
        return None, "these words do not stand in the file"
    if line == quote.line:
        return line, "word for word"
    return line, f"word for word, but on line {line} instead of {quote.line}"
