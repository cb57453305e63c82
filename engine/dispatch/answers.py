"""What a provider says, made sure of: adapters come from anywhere, and so does what a model writes."""

from __future__ import annotations

import json
from math import inf
from typing import Any, TypeGuard

from pydantic_core import from_json

from engine.errors import REASONS, StepFailed, StorageFailed, first_of_ours
from engine.providers.base import Provider, Question, Report
from engine.schema import Schema, find_json
from engine.step import Answer, Usage

_LONGEST_WAIT = 30 * 86400.0
_encode = json.JSONEncoder(allow_nan=False).encode


async def asked(provider: Provider, question: Question, report: Report) -> Answer:
    """What a provider says. A guest's adapter may fail or answer in any way: its step fails, never the run."""
    try:
        answer: object = await provider.ask(question, report)
    except Exception as error:
        ours = first_of_ours(error)  # adapters have task groups, which wrap what is raised in them
        if isinstance(ours, StepFailed):
            raise _sound_failure(ours) from None
        if isinstance(ours, StorageFailed):
            raise ours from None
        raise StepFailed(
            "crashed",
            f"{provider.name} failed unexpectedly: {type(error).__name__}: {error}",
            provider=provider.name,
        ) from error
    if not _is_sound(answer):
        raise StepFailed(
            "crashed", f"{provider.name} gave no answer that can be read", provider=provider.name
        )
    return answer


def _sound_failure(failure: StepFailed) -> StepFailed:
    """The failure without what cannot be true in it: we wait by its `retry_after` and count its `usage`."""
    wait: object = failure.retry_after
    if not isinstance(wait, (int, float)) or not 0 <= wait <= _LONGEST_WAIT:
        failure.retry_after = None
    if type(failure.usage) is not Usage or not failure.usage.is_sound():
        failure.usage = None
    if failure.reason not in REASONS:
        failure.reason = "crashed"
    return failure


def _is_sound(answer: object) -> TypeGuard[Answer]:
    """Whether everything but the value, which is checked later, is what an answer promises."""
    if not isinstance(answer, Answer):
        return False
    return (
        _is_name(answer.model)
        and _is_name(answer.session_id)
        and type(answer.usage) is Usage
        and answer.usage.is_sound()
        and 0 <= answer.seconds < inf
    )


def _is_name(value: object) -> bool:
    return value is None or isinstance(value, str)


def checked(answer: Answer, schema: Schema | None) -> Any:
    """The value of an answer that can be used. StepFailed (`bad_output`) for any other."""
    value = answer.value
    if schema is not None:
        return _fitting(value, schema)
    if isinstance(value, str) and (not value or value.isspace()):
        raise StepFailed("bad_output", "the answer is empty")
    return _as_json(value)


def _fitting(value: Any, schema: Schema) -> Any:
    if isinstance(value, str):
        try:
            value = find_json(value)
        except ValueError as error:
            raise StepFailed("bad_output", str(error)) from None
    value = _as_json(value)
    problems = schema.problems(value)
    if problems:
        raise StepFailed("bad_output", f"the answer does not fit the schema: {'; '.join(problems)}")
    return value


def _as_json(value: Any) -> Any:
    """The value as everybody reads it who finds it again: plain types, finite numbers, whole text, bounded depth."""
    try:
        if not isinstance(value, str):
            return from_json(_encode(value), allow_inf_nan=False)
        if not value.isascii():
            value.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise StepFailed("bad_output", f"the answer is not JSON: {error}") from None
    return value
