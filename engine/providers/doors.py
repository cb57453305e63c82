"""The entry points of the group `mco.providers`. Built-ins enter by the guests' door, and before them."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points

GROUP = "mco.providers"
_HOUSE = "mco-workflows"


class Doors:
    """Entry points by name. A guest's does not replace one of ours, so ours need no look at every installed package."""

    def find(self, name: str) -> EntryPoint | None:
        """The entry point of that name, None when there is none."""
        return self._ours.get(name) or self._all.get(name)

    def names(self) -> set[str]:
        """The names of all of them."""
        return set(self._all)

    @cached_property
    def _ours(self) -> dict[str, EntryPoint]:
        try:
            doors = distribution(_HOUSE).entry_points
        except PackageNotFoundError:  # run from a folder, without ever having been installed
            return {}
        return {door.name: door for door in doors if door.group == GROUP}

    @cached_property
    def _all(self) -> dict[str, EntryPoint]:
        return {door.name: door for door in entry_points(group=GROUP)} | self._ours
