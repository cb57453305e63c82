"""Which runs a run goes on from: its parent, the parent's parent, and so on, as their folders say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from engine.json_value import is_object
from engine.record.folder import RunFolder
from engine.record.plain_file import read_plain

_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_LONGEST = 1_000


def lineage(runs: Path, parent: str | None) -> tuple[RunFolder, ...]:
    """The folders of the runs before one whose parent is given, the oldest first. A folder that is gone ends it."""
    found: list[RunFolder] = []
    seen: set[str] = set()
    while parent is not None and _RUN_ID.fullmatch(parent) and parent not in seen and len(seen) < _LONGEST:
        seen.add(parent)
        folder = RunFolder(runs / parent)
        found.append(folder)
        parent = _parent_of(folder)
    return tuple(reversed(found))


def _parent_of(folder: RunFolder) -> str | None:
    try:
        facts: Any = json.loads(read_plain(folder.run_json))
    except (OSError, ValueError, RecursionError):
        return None
    parent = facts.get("parent") if is_object(facts) else None
    return parent if isinstance(parent, str) else None
