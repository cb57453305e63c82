"""From the options of `mco review` and `mco run --prompt` to a run of the catalog's flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import NoProviderReady, UsageError
from engine.providers.registry import readiness_of
from workflows.cli.caller import Caller
from workflows.cli.options import FORMATS
from workflows.cli.outlet import tell
from workflows.cli.prompt import read_prompt
from workflows.cli.review_ending import Ending
from workflows.cli.review_options import ResultMode, ReviewFlags
from workflows.cli.runner import Order, Output
from workflows.review.permissions import Granted, grant, read_permissions
from workflows.review.request import Kind, ReviewRequest
from workflows.review.reviewers import (
    LONGEST,
    Reviewer,
    read_reviewers,
    read_timeouts,
    split_list,
    with_timeouts,
)
from workflows.review.scope import find_scope
from workflows.review.tree import ReviewTree, check_task_id, find_base

if TYPE_CHECKING:
    from engine.providers.registry import Registry
    from engine.settings import LoadedSettings, Settings
    from engine.step import Access

HARD_TIMEOUT = 1800.0
"""Seconds that one provider may take for a review, unless somebody says otherwise."""


class Common(NamedTuple):
    """The options of every run, as they arrive at a command."""

    output: Output
    plain: bool
    fresh: bool
    untrusted: bool
    flags: Mapping[str, Any]
    """Settings by name."""


def order_of(kind: Kind, asked: ReviewFlags, common: Common, caller: Caller) -> Order:
    """The run that these options ask for. UsageError and NoProviderReady before anything is spent."""
    if kind == "ask" and common.output in FORMATS:
        raise UsageError(
            "answers to a prompt are no findings", hint="leave --format out, or use `mco review`"
        )
    loaded = caller.settings(common.flags)
    task_id = None if asked.task_id is None else check_task_id(asked.task_id)
    granted = _granted(kind, asked, common.flags, loaded.settings, caller)
    request = _request(kind, asked, granted, loaded, caller)
    base = find_base(
        caller.places.workspace, caller.folder, asked.artifact_base, caller.places.state / "reviews"
    )
    mode = asked.result_mode or _default_mode(kind, asked)
    if mode != "stdout" and task_id is not None:
        ReviewTree(base / task_id).is_ours()
    for warning in granted.warnings:
        tell(f"warning: {warning}")
    if granted.warnings:
        tell(f"asked with: {', '.join(f'{one.title} {one.access}' for one in granted.reviewers)}")
    flags = {**common.flags, **_parallel(asked, common.flags, request)}
    ending = Ending(request, caller, caller.settings(flags).settings, base, task_id, mode)
    return Order(
        script=caller.library.find(request.flow, caller.folder),
        reference=request.flow,
        args=request.arguments(),
        flags=flags,
        fresh=common.fresh,
        output=common.output,
        plain=common.plain,
        untrusted=common.untrusted,
        finish=ending.finish,
    )


def _default_mode(kind: Kind, asked: ReviewFlags) -> ResultMode:
    """A review is read by people and by programs. Answers to a prompt are read once, unless a place is named."""
    return "both" if kind == "review" or asked.artifact_base or asked.task_id else "stdout"


def _granted(
    kind: Kind, asked: ReviewFlags, flags: Mapping[str, Any], settings: Settings, caller: Caller
) -> Granted:
    """Who is asked, and with what."""
    registry = caller.registry(settings)
    texts = split_list(asked.providers)
    if texts and flags.get("provider"):
        raise UsageError("--provider and --providers both say who is asked", hint="choose one of them")
    if asked.providers and not texts:
        raise UsageError("--providers names nobody", hint="write for example --providers claude,codex")
    reviewers = read_reviewers(texts or [registry.default()])
    _check_ready(reviewers, registry)
    if kind == "ask":
        _check_reads_prompts(reviewers, registry)
    # Who says --access for a prompt means it for this prompt; a review only reads unless it is told more exactly.
    access: Access = (kind == "ask" and flags.get("access")) or "read"
    return grant(
        with_timeouts(
            [one._replace(access=access) for one in reviewers], read_timeouts(asked.provider_timeouts)
        ),
        read_permissions(asked.provider_permissions_json),
        registry,
        ceiling=settings.access,
        enforcement=asked.enforcement_mode or "strict",
    )


def _check_ready(reviewers: tuple[Reviewer, ...], registry: Registry) -> None:
    """UsageError for a name that nobody has, NoProviderReady when all of them are missing; some may be."""
    found = [(one, readiness_of(registry.get(one.name))) for one in reviewers]
    if not any(readiness.ready for _, readiness in found):
        why = "; ".join(f"{one.name}: {readiness.why}" for one, readiness in found)
        hint = next((readiness.hint for _, readiness in found if readiness.hint), None)
        raise NoProviderReady("none of the providers is ready", why=why, hint=hint)


def _check_reads_prompts(reviewers: tuple[Reviewer, ...], registry: Registry) -> None:
    """NoProviderReady when none of them takes a prompt at all."""
    if not any("text" in registry.get(one.name).capabilities for one in reviewers):
        raise NoProviderReady(
            f"{' and '.join(one.name for one in reviewers)} cannot answer a prompt",
            why="that takes a language model",
            hint="name a coding agent with --providers; `mco providers` says which are ready",
        )


def _request(
    kind: Kind, asked: ReviewFlags, granted: Granted, loaded: LoadedSettings, caller: Caller
) -> ReviewRequest:
    return ReviewRequest(
        kind=kind,
        prompt=read_prompt(asked, caller.folder),
        reviewers=granted.reviewers,
        scope=find_scope(
            caller.places.workspace,
            caller.folder,
            split_list(asked.target_paths),
            split_list(asked.allow_paths),
        ),
        enforcement=asked.enforcement_mode or "strict",
        strict_contract=bool(asked.strict_contract),
        timeout=_hard_timeout(asked, loaded) if kind == "review" else None,
        stall_timeout=asked.stall_timeout,
    )


def _hard_timeout(asked: ReviewFlags, loaded: LoadedSettings) -> float | None:
    if asked.review_hard_timeout is not None:
        return asked.review_hard_timeout or LONGEST
    return None if "timeout" in loaded.origins else HARD_TIMEOUT


def _parallel(asked: ReviewFlags, flags: Mapping[str, Any], request: ReviewRequest) -> dict[str, int]:
    number = asked.max_provider_parallelism
    if number is None:
        return {}
    if flags.get("max_parallel") is not None:
        raise UsageError(
            "--max-parallel and --max-provider-parallelism mean the same here", hint="choose one of them"
        )
    return {"max_parallel": number or max(8, len(request.reviewers))}
