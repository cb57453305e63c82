"""Bounds what mco keeps: after a run, when there is too much of it, or when nobody has looked for a day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import MCOError
from workflows.cli.caller import Caller
from workflows.cli.failure import describe
from workflows.cli.outlet import tell

if TYPE_CHECKING:
    from engine.settings import Settings

_MIB = 1024 * 1024
_DAY = 86400.0


def answers_folder(caller: Caller) -> Path:
    """Where the answers of this workspace are kept."""
    from engine.surroundings import cache_of

    return cache_of(caller.places.cache, caller.places.workspace) / "answers"


def tidy(caller: Caller, settings: Settings) -> None:
    """Delete answers that are too old or too many, but none that an unfinished run needs. It never costs the run."""
    folder = answers_folder(caller)
    try:
        if _is_due(folder, settings, caller.clock()):
            _prune(folder, caller, settings)
    except MCOError as error:
        tell(f"warning: the answer store was not tidied: {describe(error)}")


def _is_due(folder: Path, settings: Settings, now: float) -> bool:
    from engine.store.texts import Texts

    database, looked = folder / "cache.db", folder / "tidied"
    try:
        if database.stat().st_size + Texts(folder).size() > settings.cache_mb * _MIB:
            return True
        return looked.stat().st_mtime < now - _DAY
    except FileNotFoundError:
        return database.exists()
    except OSError:
        return False


def _prune(folder: Path, caller: Caller, settings: Settings) -> None:
    from engine.store.upkeep import prune
    from engine.workspace.kept import unused_manifests
    from workflows.unfinished import needed

    now = caller.clock()
    prune(
        folder,
        older_than=now - settings.expire_days * _DAY,
        most=settings.cache_mb * _MIB,
        needed=lambda: needed(caller.runs),
    )
    try:
        for manifest in unused_manifests(caller.places.state, now):
            manifest.unlink(missing_ok=True)
        (folder / "tidied").touch()
    except OSError:
        return  # it is tried again after the next run
