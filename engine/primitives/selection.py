"""Which providers a step goes to: those it names, else the default, else the first ready one that can do it."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import NoProviderReady, StepFailed, UsageError
from engine.primitives.arguments import AgentArguments
from engine.providers.base import Provider
from engine.providers.registry import NEVER_DEFAULT, Registry, readiness_of
from engine.step import ACCESS_ORDER, Access, ProviderChoice


class Selection:
    """Chooses for the steps of one run. `pinned` is the provider the user insists on; `ceiling` the widest access."""

    def __init__(self, registry: Registry, *, pinned: str | None, ceiling: Access) -> None:
        self._registry = registry
        self._pinned = pinned
        self._ceiling: Access = ceiling
        self._ready: set[str] = set()
        self._defaults: dict[tuple[str, ...], tuple[ProviderChoice, ...]] = {}

    def choose(self, arguments: AgentArguments) -> tuple[ProviderChoice, ...]:
        """The providers of a step, in order. StepFailed when none can take it."""
        named = arguments.providers or ([arguments.provider] if arguments.provider else [])
        choices = tuple(one.choice() for one in named)
        self._check_access(arguments.access)
        for choice in choices:
            self._check_access(choice.access or arguments.access)
            self._check_named(choice.name, arguments.capabilities)
        return choices or self._default(tuple(arguments.capabilities))

    def _check_access(self, access: Access) -> None:
        if ACCESS_ORDER.index(access) > ACCESS_ORDER.index(self._ceiling):
            raise StepFailed(
                "refused",
                f"the step asks for {access!r} access, the run allows {self._ceiling!r}",
                hint=f"allow it with --access {access}",
            )

    def _check_named(self, name: str, capabilities: Iterable[str]) -> None:
        provider = self._get(name)
        if name not in self._ready:
            readiness = readiness_of(provider)
            if not readiness.ready:
                raise StepFailed(
                    "not_found",
                    f"provider {name!r} is not ready: {readiness.why}",
                    provider=name,
                    hint=readiness.hint,
                )
            self._ready.add(name)
        missing = set(capabilities) - provider.capabilities
        if missing:
            raise _unsupported([(name, missing)])

    def _get(self, name: str) -> Provider:
        try:
            return self._registry.get(name)
        except UsageError as error:
            raise StepFailed("not_found", str(error), provider=name, hint=error.hint) from None

    def _default(self, capabilities: tuple[str, ...]) -> tuple[ProviderChoice, ...]:
        if capabilities not in self._defaults:
            self._defaults[capabilities] = (ProviderChoice(name=self._able(capabilities)),)
        return self._defaults[capabilities]

    def _able(self, capabilities: tuple[str, ...]) -> str:
        name = self._registry.default()
        lacking = [(name, set(capabilities) - self._registry.get(name).capabilities)]
        if not lacking[0][1]:
            return name
        if self._pinned is None:
            for other, provider, readiness in self._registry.readiness():
                if other == name or other in NEVER_DEFAULT or provider is None or not readiness.ready:
                    continue
                missing = set(capabilities) - provider.capabilities
                if not missing:
                    return other
                lacking.append((other, missing))
        raise _unsupported(lacking)

    def check_pinned(self) -> None:
        """Before anything is spent: UsageError on an unknown provider, NoProviderReady on one that cannot be asked."""
        name = self._registry.default()
        readiness = readiness_of(self._registry.get(name))
        if not readiness.ready:
            raise NoProviderReady(f"provider {name!r} is not ready", why=readiness.why, hint=readiness.hint)


def _unsupported(lacking: list[tuple[str, set[str]]]) -> StepFailed:
    said = "; ".join(f"{name} lacks {', '.join(sorted(missing))}" for name, missing in lacking)
    names = ", ".join(name for name, _ in lacking)
    return StepFailed("unsupported", f"no ready provider can do this step: {said}", provider=names)
