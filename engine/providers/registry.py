"""Which providers there are. Built-ins enter by the guests' door: the entry-point group `mco.providers`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from engine.errors import MCOError, NoProviderReady, NotAllowed, UsageError
from engine.providers.base import Provider, ProviderContext, Readiness
from engine.providers.doors import Doors

NEVER_DEFAULT = frozenset({"fake", "command"})
"""`fake` must be asked for by name, and `command` is nothing without a table in the settings."""
LAST_RESORT = "builtin"
WITHOUT_TOOLS = "openai"
"""A model that sees only its prompt is a default where there is no agent that sees the workspace."""
_BEHIND = (WITHOUT_TOOLS, LAST_RESORT, "fake")
OURS = frozenset({"type", "max_parallel"})
"""What a provider's table may have beside its adapter's own options."""
_PROMISED = ("name", "capabilities", "note", "readiness", "ask")


class Registry:
    """Builds providers by name, each once and only when it is asked for.

    `tables` are the `[providers.NAME]` settings. A table named like an entry point configures it; any other is a
    `command` provider, unless its `type` names another entry point.
    """

    def __init__(
        self,
        *,
        tables: Mapping[str, Mapping[str, Any]],
        workspace: Path,
        cache_folder: Path,
        environment: Mapping[str, str],
        preferred: str | None = None,
        added: Mapping[str, Provider] | None = None,
        allowed: Collection[str] | None = None,
    ) -> None:
        self._tables = tables
        self._workspace = workspace
        self._cache_folder = cache_folder
        self._environment = environment
        self._preferred = preferred
        self._built: dict[str, Provider] = dict(added or {})
        self._doors = Doors()
        self._default: str | None = None
        self._allowed = allowed

    def names(self) -> list[str]:
        """Every provider that can be named, in the order in which a default is looked for."""
        doors = self._doors.names()
        plain = sorted(doors - self._tables.keys() - NEVER_DEFAULT - set(_BEHIND))
        rest = [name for name in _BEHIND if name in doors and name not in self._tables]
        added = [name for name in self._built if name not in (*self._tables, *plain, *rest)]
        return [name for name in [*added, *self._tables, *plain, *rest] if self._allows(name)]

    def get(self, name: str) -> Provider:
        """The provider of that name. UsageError when there is none, with the nearest names; NotAllowed if kept out."""
        if not self._allows(name):
            raise _not_allowed(name, self._allowed or ())
        if name not in self._built:
            self._built[name] = self._build(name)
        return self._built[name]

    def built(self) -> Mapping[str, Provider]:
        """Those that somebody has asked for so far, and that there are."""
        return self._built

    def _allows(self, name: str) -> bool:
        return self._allowed is None or name in self._allowed

    def limits(self) -> dict[str, int]:
        """How many attempts at once a provider may get, where its table has `max_parallel`. UsageError if wrong."""
        given = {
            name: table["max_parallel"] for name, table in self._tables.items() if "max_parallel" in table
        }
        for name, limit in given.items():
            if type(limit) is not int or limit < 1:
                raise UsageError(
                    f"[providers.{name}] is wrong",
                    where="max_parallel",
                    why="it must be a whole number from 1 up",
                )
        return given

    def default(self) -> str:
        """The preferred provider, else the first ready one. NoProviderReady when there is none."""
        if self._default is None:
            self._default = self._preferred or self._first_ready()
        return self._default

    def readiness(self) -> Iterator[tuple[str, Provider | None, Readiness]]:
        """Each provider with whether it can be asked; one that cannot even be built says why."""
        for name in self.names():
            try:
                provider = self.get(name)
            except UsageError as error:
                yield name, None, Readiness(False, str(error), error.hint or "")
            else:
                yield name, provider, readiness_of(provider)

    def _check_no_slip(self, name: str) -> None:
        """UsageError for a table without a command whose name is nearly that of a provider there is."""
        from difflib import get_close_matches

        near = get_close_matches(name, self._doors.names() - {"command"}, 1, cutoff=0.82)
        if near:
            raise UsageError(
                f"[providers.{name}] is wrong",
                why="it has no `command`, and no provider is called so",
                hint=f"did you mean [providers.{near[0]}]?",
            )

    def _first_ready(self) -> str:
        for name in self.names():
            if name not in NEVER_DEFAULT and readiness_of(self.get(name)).ready:
                return name
        narrowed = (
            None if self._allowed is None else f"only these are allowed: {', '.join(self._allowed) or 'none'}"
        )
        raise NoProviderReady(
            "no provider is ready", why=narrowed, hint="`mco doctor` says what each of them lacks"
        )

    def _build(self, name: str) -> Provider:
        table = self._tables.get(name, {})
        is_door = self._doors.find(name) is not None
        kind = str(table.get("type", name if is_door else "command"))
        known = name in self._tables or (is_door and name != "command")
        door = self._doors.find(kind)
        if not known or door is None:
            from difflib import get_close_matches  # only a mistake pays for it

            near = get_close_matches(name, self.names(), 1)
            raise UsageError(
                f"there is no provider {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self.names())}",
            )
        if kind == "command" and not is_door and "command" not in table:
            self._check_no_slip(name)
        context = ProviderContext(
            name=name,
            options={key: value for key, value in table.items() if key not in OURS},
            workspace=self._workspace,
            cache_folder=self._cache_folder,
            environment=self._environment,
        )
        return _load(door, context)


def _not_allowed(name: str, allowed: Collection[str]) -> NotAllowed:
    return NotAllowed(
        f"the provider {name!r} is not allowed here",
        why=f"allowed_providers has {', '.join(allowed) or 'none'}",
        hint="`mco doctor` says where that is set",
    )


def _load(door: EntryPoint, context: ProviderContext) -> Provider:
    try:
        return _whole(door.load()(context))
    except MCOError:
        raise
    except Exception as error:  # a guest's package may fail in any way
        raise UsageError(
            f"the provider {door.name!r} cannot be loaded",
            where=door.value,
            why=f"{type(error).__name__}: {error}",
        ) from error


def _whole(provider: Any) -> Provider:
    missing = [name for name in _PROMISED if not hasattr(provider, name)]
    if missing:
        raise TypeError(f"what it builds lacks {', '.join(missing)}")
    return provider


def readiness_of(provider: Provider) -> Readiness:
    """Whether a provider can be asked; a guest's that fails to say so cannot."""
    try:
        return provider.readiness()
    except Exception as error:  # noqa: BLE001 - a guest's adapter may fail in any way
        return Readiness(False, f"it does not say whether it is: {type(error).__name__}: {error}")
