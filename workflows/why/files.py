"""Which files made a step run again, by the two manifests that its fingerprints came from."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path

from workflows.why.account import CompareFiles
from workflows.why.past import StepLine
from workflows.why.reason import Files

MOST_NAMED = 100
"""Files of each kind that are named; the others are counted."""


def files_between(state: Path) -> CompareFiles:
    """Compares the manifests of two lines, as they are kept in a workspace's `.mco`.

    Many steps share a pair of them, so the last two are held, and what came of the last comparisons.
    """
    from engine.workspace.changes import changed_names
    from engine.workspace.kept import load_manifest

    load = lru_cache(maxsize=2)(load_manifest)

    @lru_cache(maxsize=64)
    def between(old: str, new: str, reads: tuple[str, ...] | None) -> Files:
        before, after = load(state, old), load(state, new)
        if before is None or after is None:
            return Files(known=False)
        names = changed_names(before, after, reads)
        kinds = names["added"], names["changed"], names["removed"]
        added, changed, removed = (tuple(islice(kind, MOST_NAMED)) for kind in kinds)
        return Files(added, changed, removed, sum(max(0, len(kind) - MOST_NAMED) for kind in kinds))

    def compare(old: StepLine, new: StepLine) -> Files:
        if old.manifest is None or new.manifest is None:
            return Files(known=False)
        return between(old.manifest, new.manifest, None if new.reads is None else tuple(new.reads))

    return compare
