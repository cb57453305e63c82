"""Permissions of providers: read, held against what each can be held to, and never beyond the ceiling."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.providers.fake import FakeProvider, echo
from engine.providers.registry import Registry
from engine.step import Access
from workflows.review.permissions import Enforcement, Granted, grant, read_permissions
from workflows.review.reviewers import Reviewer


def granted(
    permissions: dict[str, Any],
    able: list[Access] | None = None,
    *,
    name: str = "claude",
    ceiling: Access = "full",
    enforcement: Enforcement = "strict",
) -> Granted:
    provider: Any = FakeProvider(echo, name)
    if able is not None:
        provider.access = frozenset(able)
    registry = Registry(
        tables={},
        workspace=Path(),
        cache_folder=Path(),
        environment=os.environ,
        added={name: provider},
    )
    given = {name: permissions} if permissions else {}
    return grant([Reviewer(name)], given, registry, ceiling=ceiling, enforcement=enforcement)


EVERY: list[Access] = ["read", "write", "full"]


@pytest.mark.parametrize(
    ("name", "permissions", "access"),
    [
        ("claude", {}, "read"),
        ("claude", {"access": "write"}, "write"),
        ("claude", {"permission_mode": "plan"}, "read"),
        ("claude", {"permission_mode": "acceptEdits"}, "write"),
        ("claude", {"permission_mode": "bypassPermissions"}, "full"),
        ("codex", {"sandbox": "read-only"}, "read"),
        ("codex", {"sandbox": "workspace-write"}, "write"),
        ("codex", {"sandbox": "danger-full-access"}, "full"),
    ],
)
def test_access_is_said_in_our_words_or_in_the_programs_own(
    name: str, permissions: dict[str, Any], access: str
) -> None:
    (one,) = granted(permissions, EVERY, name=name).reviewers
    assert one.access == access


@pytest.mark.parametrize(
    ("name", "permissions"),
    [
        ("claude", {"sandbox": "read-only"}),
        ("codex", {"permission_mode": "plan"}),
        ("claude", {"access": "everything"}),
        ("claude", {"access": ["read"]}),
        ("claude", {"network": False}),
    ],
)
def test_a_permission_that_nobody_can_honour_is_refused_or_left_out_with_a_warning(
    name: str, permissions: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="cannot be honoured"):
        granted(permissions, EVERY, name=name)
    lenient = granted(permissions, EVERY, name=name, enforcement="best_effort")
    assert lenient.reviewers[0].access == "read"
    assert len(lenient.warnings) == 1


@pytest.mark.parametrize(
    ("wanted", "able", "ceiling", "got"),
    [
        ("write", ["read"], "full", "read"),
        ("full", ["read", "write"], "full", "write"),
        ("read", ["write", "full"], "write", "write"),
        ("read", ["full"], "write", "read"),  # nothing is left to it; the adapter refuses it
    ],
)
def test_best_effort_asks_with_the_nearest_and_rather_with_less(
    wanted: Access, able: list[Access], ceiling: Access, got: Access
) -> None:
    lenient = granted({"access": wanted}, able, ceiling=ceiling, enforcement="best_effort")
    assert lenient.reviewers[0].access == got
    assert f"cannot be held to {wanted!r} access" in lenient.warnings[0]


@pytest.mark.parametrize("enforcement", ["strict", "best_effort"])
def test_the_ceiling_binds_in_either_mode(enforcement: Enforcement) -> None:
    with pytest.raises(UsageError, match="the most allowed is 'read'"):
        granted({"access": "write"}, EVERY, ceiling="read", enforcement=enforcement)


def test_static_analysis_only_reads() -> None:
    assert granted({"access": "read"}, name="builtin").warnings == ()
    with pytest.raises(UsageError, match="cannot be honoured"):
        granted({"access": "write"}, name="builtin")


def test_who_does_not_say_is_left_alone_unless_it_is_asked_for() -> None:
    assert granted({}).warnings == ()
    with pytest.raises(UsageError, match="cannot be honoured") as refused:
        granted({"access": "read"})
    assert "does not say whether it can be held to 'read'" in str(refused.value.why)


@pytest.mark.parametrize("text", ["{", "[]", "1", '{"claude": "read"}', "[" * 100_000, '{"a": NaN}'])
def test_what_is_no_table_of_permissions_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--provider-permissions-json is wrong"):
        read_permissions(text)
