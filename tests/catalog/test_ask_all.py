"""The flow behind `mco run --prompt`, as any workflow."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.base import Question

pytestmark = pytest.mark.anyio


async def test_answers_come_in_the_order_in_which_providers_are_named(run: Any) -> None:
    outcome = await run(
        "ask-all",
        {"prompt": "Hm?", "providers": ["model:b", {"name": "model", "model": "a"}]},
        lambda question: f"{question.model}: {question.prompt}",
    )
    assert [(each["provider"], each["output"]) for each in outcome.result["answers"]] == [
        ("model:b", "b: Hm?"),
        ("model:a", "a: Hm?"),
    ]
    assert outcome.result["report"] == "# model:b\n\nb: Hm?\n\n# model:a\n\na: Hm?\n"


async def test_one_that_fails_stops_nobody(run: Any) -> None:
    def model(question: Question) -> Any:
        if question.model == "a":
            raise StepFailed("refused", "no", provider="model")
        return "yes"

    outcome = await run("ask-all", {"prompt": "Hm?", "providers": ["model:a", "model:b"]}, model)
    assert outcome.status == "partial"
    assert [
        (each["ok"], each["error"] and each["error"]["reason"]) for each in outcome.result["answers"]
    ] == [
        (False, "refused"),
        (True, None),
    ]


async def test_without_a_model_it_fails_and_says_what_is_missing(run: Any) -> None:
    outcome = await run("ask-all", {"prompt": "Hm?"})
    assert outcome.status == "failed"
    assert "answers typed tasks only" in str(outcome.error)
