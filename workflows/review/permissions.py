"""What each provider is asked with: `--provider-permissions-json`, held against what it can be held to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeGuard

from engine.errors import UsageError
from engine.json_value import is_object
from engine.providers.registry import Registry
from engine.step import ACCESS_ORDER, Access
from engine.text import clean_line
from workflows.review.reviewers import Reviewer, check_asked

OPTION = "--provider-permissions-json"
Enforcement = Literal["strict", "best_effort"]

_WORDS: Mapping[str, Mapping[str, Access]] = {
    "access": {"read": "read", "write": "write", "full": "full"},
    # The words of these programs themselves, for who has them in scripts already.
    "permission_mode": {"plan": "read", "acceptEdits": "write", "bypassPermissions": "full"},
    "sandbox": {"read-only": "read", "workspace-write": "write", "danger-full-access": "full"},
}
_OWN = {"permission_mode": "claude", "sandbox": "codex"}
"""The provider that a word other than `access` belongs to."""


class Granted(NamedTuple):
    """The reviewers with their access, and what a person should know of it."""

    reviewers: tuple[Reviewer, ...]
    warnings: tuple[str, ...] = ()


def read_permissions(text: str | None) -> dict[str, dict[str, Any]]:
    """`{"claude": {"access": "read"}}` by provider. UsageError on anything else."""
    if text is None:
        return {}
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"it is not JSON: {error}") from None
    if not is_object(value):
        raise _wrong("it is not a JSON object")
    return {name: _table(name, given) for name, given in value.items()}


def _table(name: str, given: Any) -> dict[str, Any]:
    if not is_object(given):
        raise _wrong(f"the permissions of {clean_line(name, 60)!r} are not a JSON object")
    return dict(given)


def _wrong(why: str) -> UsageError:
    return UsageError(
        f"{OPTION} is wrong",
        why=why,
        hint=f'write for example {OPTION} \'{{"claude": {{"access": "read"}}}}\'',
    )


def grant(
    reviewers: Sequence[Reviewer],
    permissions: Mapping[str, Mapping[str, Any]],
    registry: Registry,
    *,
    ceiling: Access,
    enforcement: Enforcement,
) -> Granted:
    """Give each reviewer its access, before anything is spent.

    UsageError when the ceiling forbids one, and under `strict` when a provider cannot be held to it.
    """
    check_asked(permissions, reviewers, OPTION)
    problems: list[str] = []
    granted: list[Reviewer] = []
    for one in reviewers:
        asked = permissions.get(one.title, permissions.get(one.name))
        wanted, unknown = _asked_for(one, asked or {})
        _check_ceiling(wanted, ceiling)
        given, unmet = _held(wanted, registry, ceiling, explicit=asked is not None)
        granted.append(given)
        problems += [*unknown, *unmet]
    problems += _crowded(granted)
    if problems and enforcement == "strict":
        raise _refused(problems)
    return Granted(tuple(granted), tuple(problems))


def _asked_for(one: Reviewer, given: Mapping[str, Any]) -> tuple[Reviewer, list[str]]:
    problems: list[str] = []
    for name, value in given.items():
        access = _meant(one.name, name, value)
        if access is None:
            said = clean_line(json.dumps({name: value}), 100)
            problems.append(f"{one.title} has no permission {said}: it has access read, write or full")
        else:
            one = one._replace(access=access)
    return one, problems


def _meant(provider: str, name: str, value: Any) -> Access | None:
    if name not in _WORDS or _OWN.get(name, provider) != provider:
        return None
    return _WORDS[name].get(value) if isinstance(value, str) else None


def _held(
    one: Reviewer, registry: Registry, ceiling: Access, *, explicit: bool
) -> tuple[Reviewer, list[str]]:
    """The reviewer with an access that its provider can be held to, and what is not as it was asked."""
    able = frozenset({"read"}) if one.name == "builtin" else getattr(registry.get(one.name), "access", None)
    if not _is_access(able):  # it does not say; what nobody asked for in particular is left to it
        unsure = f"{one.title} does not say whether it can be held to {one.access!r} access"
        return one, [unsure] if explicit else []
    if one.access in able:
        return one, []
    said = ", ".join(access for access in ACCESS_ORDER if access in able) or "nothing"
    problem = f"{one.title} cannot be held to {one.access!r} access (it can to: {said})"
    return one._replace(access=_nearest(one.access, able, ceiling) or one.access), [problem]


def _is_access(value: Any) -> TypeGuard[frozenset[Access]]:
    return isinstance(value, frozenset)


def _nearest(wanted: Access, able: frozenset[Access], ceiling: Access) -> Access | None:
    """What it can be held to instead: rather less than was asked, and never more than the ceiling."""
    allowed: list[Access] = [
        access for access in ACCESS_ORDER[: ACCESS_ORDER.index(ceiling) + 1] if access in able
    ]
    less: list[Access] = [
        access for access in allowed if ACCESS_ORDER.index(access) < ACCESS_ORDER.index(wanted)
    ]
    return less[-1] if less else allowed[0] if allowed else None


def _crowded(reviewers: Sequence[Reviewer]) -> list[str]:
    writers = [one.title for one in reviewers if one.access != "read"]
    if len(writers) < 2:
        return []
    return [f"{' and '.join(writers)} would change the same files at the same time"]


def _check_ceiling(one: Reviewer, ceiling: Access) -> None:
    if ACCESS_ORDER.index(one.access) > ACCESS_ORDER.index(ceiling):
        raise UsageError(
            f"{one.title} is to be asked with {one.access!r} access, and the most allowed is {ceiling!r}",
            hint=f"allow it with --access {one.access}",
        )


def _refused(problems: Sequence[str]) -> UsageError:
    return UsageError(
        "the permissions cannot be honoured",
        why="; ".join(problems),
        hint="ask with what it can be held to, or let it pass with --enforcement-mode best_effort",
    )
