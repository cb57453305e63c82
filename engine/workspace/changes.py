"""What differs between two manifests, by name."""

from __future__ import annotations

from typing import TypedDict

from engine.text import clean_line
from engine.workspace.manifest import Manifest

_SHOWN = 3


class ChangedNames(TypedDict):
    """Names of files, sorted; a renamed file is one removed and one added."""

    added: list[str]
    changed: list[str]
    removed: list[str]


def changed_names(old: Manifest, new: Manifest, reads: tuple[str, ...] | None = None) -> ChangedNames:
    """Which files differ, of those that `reads` names; None means all of them."""
    if reads is not None:
        old, new = old.part(reads), new.part(reads)
    before, after = old.files, new.files
    return {
        "added": sorted(after.keys() - before.keys()),
        "changed": sorted(name for name, content in after.items() if before.get(name, content) != content),
        "removed": sorted(before.keys() - after.keys()),
    }


def describe(changes: ChangedNames) -> str:
    """A line for people: `changed: a.py, b.py and 7 more; removed: old.py`. Empty when nothing differs."""
    kinds = (("changed", changes["changed"]), ("added", changes["added"]), ("removed", changes["removed"]))
    return "; ".join(f"{kind}: {_listed(names)}" for kind, names in kinds if names)


def _listed(names: list[str]) -> str:
    shown = ", ".join(clean_line(name, 80) for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
