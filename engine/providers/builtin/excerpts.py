"""The task `fetch`: what stands around some places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio.to_thread

from engine.errors import StepFailed
from engine.providers.builtin.documents import read_document
from engine.providers.builtin.targets import locate
from engine.providers.builtin.tasks import FetchTask, Place


async def fetch(task: FetchTask, workspace: Path) -> dict[str, Any]:
    """An excerpt for each place, in the given order. StepFailed on a place that is not there."""
    passages = await anyio.to_thread.run_sync(
        lambda: [_excerpt(workspace, place, task.context) for place in task.places]
    )
    return {"passages": passages, "produced_by": "read from the files; no language model was used"}


def _excerpt(workspace: Path, place: Place, context: int) -> dict[str, Any]:
    document = read_document(locate(workspace, place.file))
    if document is None:
        raise StepFailed("not_found", f"{place.file!r} is not a text file that can be read")
    if place.line > len(document.lines):
        raise StepFailed("not_found", f"{place.file!r} has {len(document.lines)} lines, not {place.line}")
    start = max(1, place.line - context)
    end = min(len(document.lines), place.line + context)
    return {
        "file": place.file,
        "start": start,
        "end": end,
        "text": "\n".join(document.lines[start - 1 : end]),
    }
