"""Which providers a step goes to: those it names, else the default, else the first ready one that can do it."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import NoProviderReady, NotAllowed, Reason, StepFailed, UsageError
from engine.primitives.arguments import AgentArguments
from engine.providers.base import Provider
from engine.providers.registry import NEVER_DEFAULT, Registry, readiness_of
from engine.step import ACCESS_ORDER, Access, Obstacle, ProviderChoice


class Selection:
    """Chooses for the steps of one run. `pinned` is the provider the user insists on; `ceiling` the widest access."""

    def __init__(self, registry: Registry, *, pinned: str | None, ceiling: Access) -> None:
        self._registry = registry
        self._pinned = pinned
        self._ceiling: Access = ceiling
        self._ready: set[str] = set()
        self._defaults: dict[tuple[str, ...], tuple[ProviderChoice, ...]] = {}

    def choose(self, arguments: AgentArguments) -> tuple[ProviderChoice, ...]:
        """The providers of a step, in order. StepFailed when none can take it.

        Of several that are named, those that cannot take it go along with their obstacle: one never stops the others.
        """
        named = arguments.providers or ([arguments.provider] if arguments.provider else [])
        self._check_access(arguments.access)
        choices = tuple(self._checked(one.choice(), arguments) for one in named)
        if choices and all(choice.obstacle for choice in choices):
            raise _none_of(choices)
        return choices or self._default(tuple(arguments.capabilities))

    def _check_access(self, access: Access) -> None:
        if ACCESS_ORDER.index(access) > ACCESS_ORDER.index(self._ceiling):
            raise StepFailed(
                "refused",
                f"the step asks for {access!r} access, the run allows {self._ceiling!r}",
                hint=f"allow it with --access {access}",
            )

    def _checked(self, choice: ProviderChoice, arguments: AgentArguments) -> ProviderChoice:
        self._check_access(choice.access or arguments.access)
        try:
            provider = self._get(choice.name)
        except NotAllowed as error:
            return choice._replace(obstacle=Obstacle("refused", str(error), error.hint))
        if choice.name not in self._ready:
            readiness = readiness_of(provider)
            if not readiness.ready:
                said = f"provider {choice.name!r} is not ready: {readiness.why}"
                return choice._replace(obstacle=Obstacle("not_found", said, readiness.hint or None))
            self._ready.add(choice.name)
        missing = set(arguments.capabilities) - provider.capabilities
        if missing:
            said = f"provider {choice.name!r} lacks {_listed(missing)}"
            return choice._replace(obstacle=Obstacle("unsupported", said))
        return choice

    def _get(self, name: str) -> Provider:
        try:
            return self._registry.get(name)
        except NotAllowed:
            raise
        except UsageError as error:
            raise StepFailed("not_found", str(error), provider=name, hint=error.hint) from None

    def _default(self, capabilities: tuple[str, ...]) -> tuple[ProviderChoice, ...]:
        if capabilities not in self._defaults:
            self._defaults[capabilities] = (ProviderChoice(name=self._able(capabilities)),)
        return self._defaults[capabilities]

    def _able(self, capabilities: tuple[str, ...]) -> str:
        """The default if it can do that, else the first ready one that can; a pinned one can or nobody does."""
        name = self._registry.default()
        missing = set(capabilities) - self._registry.get(name).capabilities
        if not missing:
            return name
        if self._pinned is not None:
            said = f"provider {name!r} was chosen for this run, and lacks {_listed(missing)}"
            raise StepFailed("unsupported", said, provider=name)
        lacking, hint = [(name, missing)], None
        for other, provider, readiness in self._registry.readiness():
            if other == name or other in NEVER_DEFAULT or provider is None:
                continue
            missing = set(capabilities) - provider.capabilities
            if readiness.ready and not missing:
                return other
            if readiness.ready:
                lacking.append((other, missing))
            elif not missing and hint is None:
                hint = f"{other!r} could, and is not ready: {readiness.why}"
        raise _unsupported(lacking, hint)

    def check_pinned(self) -> None:
        """Before anything is spent: UsageError on an unknown provider, NoProviderReady on one that cannot be asked."""
        name = self._registry.default()
        readiness = readiness_of(self._registry.get(name))
        if not readiness.ready:
            raise NoProviderReady(f"provider {name!r} is not ready", why=readiness.why, hint=readiness.hint)


def _unsupported(lacking: list[tuple[str, set[str]]], hint: str | None) -> StepFailed:
    said = "; ".join(f"{name} lacks {_listed(missing)}" for name, missing in lacking)
    names = ", ".join(name for name, _ in lacking)
    return StepFailed("unsupported", f"no ready provider can do this step: {said}", provider=names, hint=hint)


def _none_of(choices: tuple[ProviderChoice, ...]) -> StepFailed:
    """Why none of those that a step names can take it: one has its own reason, several are all told."""
    obstacles = [(choice.name, choice.obstacle) for choice in choices if choice.obstacle is not None]
    if len(obstacles) == 1:
        name, obstacle = obstacles[0]
        return obstacle.failure(name)
    reasons: set[Reason] = {obstacle.reason for _, obstacle in obstacles}
    said = "; ".join(obstacle.said for _, obstacle in obstacles)
    return StepFailed(
        reasons.pop() if len(reasons) == 1 else "not_found",
        f"none of the step's providers can do it: {said}",
        provider=", ".join(name for name, _ in obstacles),
        hint=next((obstacle.hint for _, obstacle in obstacles if obstacle.hint), None),
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
