from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import StepFailed
from engine.providers.base import Question
from engine.providers.builtin import BuiltinProvider

pytestmark = pytest.mark.anyio


def test_it_says_that_no_model_is_used_and_what_it_can_do(provider: BuiltinProvider) -> None:
    assert provider.readiness().ready
    assert provider.note == "no language model was used"
    assert provider.capabilities == {"task:review", "task:search", "task:fetch", "task:verify"}


async def test_a_prompt_alone_is_refused(provider: BuiltinProvider, workspace: Path) -> None:
    with pytest.raises(StepFailed, match="typed tasks only") as failed:
        await provider.ask(Question(prompt="Write a poem.", workspace=workspace), lambda progress: None)
    assert failed.value.reason == "unsupported"
    assert failed.value.hint is not None
    assert "coding agent" in failed.value.hint


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ({}, "kind"),
        ({"kind": "translate"}, "kind"),
        ({"kind": "review"}, "aspect"),
        ({"kind": "review", "aspect": "beauty"}, "aspect"),
        ({"kind": "review", "aspect": "security", "limit": 0}, "limit"),
        ({"kind": "review", "aspect": "security", "colour": "red"}, "colour"),
        ({"kind": "search", "query": ""}, "query"),
        ({"kind": "fetch", "places": [{"file": "a.md", "line": 0}]}, "line"),
        ({"kind": "verify", "quotes": "all"}, "quotes"),
    ],
)
async def test_a_wrong_task_is_refused_and_the_wrong_part_named(
    task: dict[str, object], why: str, provider: BuiltinProvider, workspace: Path
) -> None:
    with pytest.raises(StepFailed, match=why) as failed:
        await provider.ask(Question(prompt="", task=task, workspace=workspace), lambda progress: None)
    assert failed.value.reason == "unsupported"
