"""Who a step goes to: ready providers that can do it, and what each of the others lacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.primitives.arguments import read_arguments
from engine.primitives.selection import Selection
from engine.providers.base import Readiness
from engine.providers.fake import FakeProvider, echo
from engine.providers.registry import Registry
from engine.step import Obstacle, ProviderChoice


class Player(FakeProvider):
    """A provider that can do `abilities`; `why` it is not ready, if it is not."""

    def __init__(self, name: str, abilities: str, why: str = "") -> None:
        super().__init__(echo, name)
        self.capabilities = frozenset(abilities.split())
        self._why = why

    def readiness(self) -> Readiness:
        return Readiness(not self._why, self._why, "log in with: it login" if self._why else "")


def chosen(
    players: Mapping[str, Player],
    options: Mapping[str, Any],
    *,
    default: str | None = None,
    pinned: str | None = None,
) -> tuple[ProviderChoice, ...]:
    registry = Registry(
        tables={},
        workspace=Path("/nowhere"),
        cache_folder=Path("/nowhere"),
        environment={},
        preferred=pinned or default,
        added=players,
    )
    selection = Selection(registry, pinned=pinned, ceiling="read")
    return selection.choose(read_arguments("p", dict(options)))


def players(**abilities: str) -> dict[str, Player]:
    """Players by name; what stands behind `!` is why one is not ready."""
    made: dict[str, Player] = {}
    for name, text in abilities.items():
        able, _, why = text.partition("!")
        made[name] = Player(name, able, why)
    return made


def names(choices: tuple[ProviderChoice, ...]) -> list[str]:
    return [choice.name for choice in choices]


def test_without_capabilities_the_default_is_asked() -> None:
    assert names(chosen(players(a="text", b="text web"), {}, default="b")) == ["b"]


def test_capabilities_pass_over_a_default_that_lacks_them() -> None:
    cast = players(a="text", b="text web!not installed", c="text web", d="web text")
    assert names(chosen(cast, {"capabilities": ["web"]}, default="a")) == ["c"]


def test_when_nobody_ready_can_each_is_named_with_what_it_lacks() -> None:
    cast = players(a="text web", b="text tools")
    with pytest.raises(StepFailed) as caught:
        chosen(cast, {"capabilities": ["flight", "web", "text"]}, default="a")
    assert caught.value.reason == "unsupported"
    said = str(caught.value)
    assert "a lacks flight; b lacks flight, web" in said
    assert "builtin lacks flight, text, web" in said
    assert str(caught.value.provider).startswith("a, b")


def test_one_that_could_and_is_not_ready_is_the_way_out() -> None:
    cast = players(a="text", b="text flight!not logged in")
    with pytest.raises(StepFailed) as caught:
        chosen(cast, {"capabilities": ["flight"]}, default="a")
    assert "b lacks" not in str(caught.value)
    assert caught.value.hint == "'b' could, and is not ready: not logged in"


def test_a_pinned_provider_is_not_passed_over() -> None:
    with pytest.raises(StepFailed, match="'a' was chosen for this run, and lacks web") as caught:
        chosen(players(a="text", b="text web"), {"capabilities": ["web"]}, pinned="a")
    assert (caught.value.reason, caught.value.provider) == ("unsupported", "a")


def test_of_several_that_are_named_one_that_cannot_does_not_stop_the_others() -> None:
    cast = players(a="text!not installed", b="text", c="text web")
    choices = chosen(cast, {"providers": ["a", "b", "c"], "capabilities": ["web"]})
    assert [choice.obstacle for choice in choices] == [
        Obstacle("not_found", "provider 'a' is not ready: not installed", "log in with: it login"),
        Obstacle("unsupported", "provider 'b' lacks web"),
        None,
    ]


@pytest.mark.parametrize(
    ("named", "reason", "said"),
    [
        (["a"], "not_found", "provider 'a' is not ready: not installed"),
        (["b"], "unsupported", "provider 'b' lacks web"),
        (["b", "c"], "unsupported", "provider 'b' lacks web; provider 'c' lacks web"),
        (["a", "b"], "not_found", "not installed; provider 'b' lacks web"),
    ],
)
def test_when_none_that_is_named_can_all_are_told(named: list[str], reason: str, said: str) -> None:
    cast = players(a="text!not installed", b="text", c="text tools", d="text web")
    with pytest.raises(StepFailed) as caught:
        chosen(cast, {"providers": named, "capabilities": ["web"]})
    assert caught.value.reason == reason
    assert str(caught.value).endswith(said)


def test_a_name_that_nobody_has_is_a_mistake_of_the_script() -> None:
    with pytest.raises(StepFailed, match="there is no provider 'claud'") as caught:
        chosen(players(b="text"), {"providers": ["b", "claud"]})
    assert caught.value.hint == "did you mean 'claude'?"


@pytest.mark.parametrize(
    "options", [{"access": "write"}, {"providers": ["a", {"name": "b", "access": "write"}]}]
)
def test_more_access_than_the_user_allows_is_refused_whoever_is_to_have_it(options: dict[str, Any]) -> None:
    with pytest.raises(StepFailed) as caught:
        chosen(players(a="text", b="text"), options)
    assert (caught.value.reason, caught.value.hint) == ("refused", "allow it with --access write")


def test_each_entry_keeps_its_model_timeout_and_access() -> None:
    choices = chosen(
        players(a="text", b="text"), {"providers": ["a:big", {"name": "b", "timeout": 600, "access": "read"}]}
    )
    assert choices == (ProviderChoice("a", "big"), ProviderChoice("b", None, 600.0, "read"))


def test_a_provider_that_the_settings_keep_out_is_refused_and_the_others_go_on() -> None:
    registry = Registry(
        tables={},
        workspace=Path("/nowhere"),
        cache_folder=Path("/nowhere"),
        environment={},
        added=players(a="text", b="text"),
        allowed=["b"],
    )
    selection = Selection(registry, pinned=None, ceiling="read")
    both = selection.choose(read_arguments("p", {"providers": ["a", "b"]}))
    assert [choice.obstacle and choice.obstacle.reason for choice in both] == ["refused", None]
    assert names(selection.choose(read_arguments("p", {}))) == ["b"]
    with pytest.raises(StepFailed, match="'a' is not allowed here") as caught:
        selection.choose(read_arguments("p", {"provider": "a"}))
    assert caught.value.reason == "refused"
    assert registry.names() == ["b"]
