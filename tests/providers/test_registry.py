"""Providers by name, through the entry points that guests use too."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from engine.errors import NoProviderReady, NotAllowed, UsageError
from engine.providers.base import Readiness
from engine.providers.command import CommandProvider
from engine.providers.fake import FakeProvider, echo
from engine.providers.registry import Registry


def registry(tmp_path: Path, tables: Any = None, **facts: Any) -> Registry:
    return Registry(
        tables=tables or {},
        workspace=tmp_path,
        cache_folder=tmp_path,
        environment={"PATH": "/usr/bin:/bin"},
        **facts,
    )


def test_built_ins_come_through_their_entry_points(tmp_path: Path):
    names = registry(tmp_path).names()
    assert {"builtin", "fake"} <= set(names)
    assert "command" not in names
    assert isinstance(registry(tmp_path).get("fake"), FakeProvider)


def test_a_table_is_a_command_unless_it_says_otherwise(tmp_path: Path):
    found = registry(tmp_path, {"mine": {"command": ["cat"]}, "double": {"type": "fake"}})
    assert isinstance(found.get("mine"), CommandProvider)
    assert isinstance(found.get("double"), FakeProvider)


def test_the_default_is_the_preferred_else_the_first_ready_one(tmp_path: Path):
    tables = {"missing": {"command": ["no-such-program-anywhere"]}, "mine": {"command": ["cat"]}}
    assert registry(tmp_path, tables).default() == "mine"
    assert registry(tmp_path, tables, preferred="missing").default() == "missing"
    assert registry(tmp_path).default() == "builtin"


def test_the_fake_is_never_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = registry(tmp_path)
    monkeypatch.setattr(found.get("builtin"), "readiness", lambda: Readiness(False, "gone"))
    with pytest.raises(NoProviderReady):
        found.default()


def test_an_unknown_name_gets_the_nearest(tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        registry(tmp_path).get("fakee")
    assert caught.value.hint == "did you mean 'fake'?"
    with pytest.raises(UsageError):
        registry(tmp_path).get("command")


def test_one_that_cannot_be_built_says_why_among_the_others(tmp_path: Path):
    found = {name: ready for name, _, ready in registry(tmp_path, {"bad": {"command": []}}).readiness()}
    assert not found["bad"].ready
    assert "[providers.bad] is wrong" in found["bad"].why
    assert found["fake"].ready


def test_one_may_be_added_by_hand(tmp_path: Path):
    found = registry(tmp_path, added={"own": FakeProvider(echo, "own")})
    assert found.get("own").name == "own"
    assert found.names()[0] == "own"


def test_a_guest_that_cannot_say_whether_it_is_ready_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken() -> Readiness:
        raise KeyError("oops")

    found = registry(tmp_path)
    monkeypatch.setattr(found.get("builtin"), "readiness", broken)
    readiness = {name: ready for name, _, ready in found.readiness()}["builtin"]
    assert (readiness.ready, "KeyError" in readiness.why) == (False, True)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda context: object(), "lacks name, capabilities, note, readiness, ask"),
        (lambda context: {}["gone"], "KeyError"),
    ],
)
def test_a_guest_that_builds_no_provider_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Callable[[object], object], said: str
):
    monkeypatch.setattr(EntryPoint, "load", lambda door: build)
    with pytest.raises(UsageError, match=said):
        registry(tmp_path).get("builtin")


def test_a_guest_does_not_take_the_place_of_a_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mine = EntryPoint(name="fake", value="nowhere:build", group="mco.providers")
    new = EntryPoint(name="guest", value="nowhere:build", group="mco.providers")
    monkeypatch.setattr("engine.providers.doors.entry_points", lambda group: [mine, new])
    found = registry(tmp_path)
    assert isinstance(found.get("fake"), FakeProvider)
    assert "guest" in found.names()
    with pytest.raises(UsageError, match="'guest' cannot be loaded"):
        found.get("guest")


def test_a_table_may_limit_how_many_attempts_its_provider_gets(tmp_path: Path):
    found = registry(
        tmp_path, {"mine": {"command": ["cat"], "max_parallel": 2}, "other": {"command": ["cat"]}}
    )
    assert found.limits() == {"mine": 2}
    assert isinstance(found.get("mine"), CommandProvider)


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "2", True])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, wrong: Any):
    with pytest.raises(UsageError, match="max_parallel") as caught:
        registry(tmp_path, {"mine": {"command": ["cat"], "max_parallel": wrong}}).limits()
    assert caught.value.where == "max_parallel"


@pytest.mark.parametrize(
    ("name", "table", "place", "hint"),
    [
        ("claude", {"modle": "opus"}, "modle", "did you mean 'model'?"),
        ("claude", {"zzz": 1}, "zzz", "it may have: program, model"),
        ("fake", {"rule": "x"}, "rule", "did you mean 'rules'?"),
        ("builtin", {"model": "x"}, "model", "it may have none but max_parallel"),
        ("mine", {"command": ["cat"], "ouput": "json"}, "ouput", "did you mean 'output'?"),
        ("mine", {"command": ["cat"], "output": "xml"}, "output", None),
        ("mine", {"commnd": ["cat"]}, "commnd", "did you mean 'command'?"),
        ("mine", {"answer": "a.b"}, "command", "write for example command"),
        ("cluade", {"model": "opus"}, None, "did you mean [providers.claude]?"),
    ],
)
def test_a_slip_in_a_table_is_named_with_the_nearest(
    tmp_path: Path, name: str, table: dict[str, Any], place: str | None, hint: str | None
):
    with pytest.raises(UsageError, match=rf"\[providers\.{name}\] is wrong") as caught:
        registry(tmp_path, {name: table}).get(name)
    assert caught.value.where == place
    assert (caught.value.hint or "").startswith(hint or "")
    assert (caught.value.hint is None) == (hint is None)


def test_a_provider_that_is_not_allowed_is_neither_listed_nor_given(tmp_path: Path):
    found = Registry(
        tables={}, workspace=tmp_path, cache_folder=tmp_path, environment={}, allowed=("builtin", "nobody")
    )
    assert (found.names(), found.default()) == (["builtin"], "builtin")
    with pytest.raises(NotAllowed) as caught:
        found.get("fake")
    assert (
        str(caught.value) == "the provider 'fake' is not allowed here: allowed_providers has builtin, nobody"
    )


def test_when_nobody_is_allowed_nobody_is_ready(tmp_path: Path):
    found = Registry(tables={}, workspace=tmp_path, cache_folder=tmp_path, environment={}, allowed=())
    with pytest.raises(NoProviderReady, match="only these are allowed: none"):
        found.default()
