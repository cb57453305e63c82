"""A script as it was found: its bytes, and the name that messages call it by. Nothing here reads what it says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple


class ScriptSource(NamedTuple):
    """The bytes of a script, the name to call it by in messages, and how it was asked for."""

    name: str
    source: bytes
    path: Path | None = None
    reference: str = ""
    """What finds it again: a workflow's name, `builtin:NAME`, or a path."""
    foreign: bool = False
    """It lies where another user can change it: it runs behind a whole wall or not at all."""

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, hex."""
        return hashlib.sha256(self.source).hexdigest()
