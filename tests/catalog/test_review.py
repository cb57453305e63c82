"""The flow behind `mco review`, as any workflow: what it asks, what it merges, and what it decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.base import Question
from tests.cli.panel import finding

pytestmark = pytest.mark.anyio
APP = "def find(name, seen=[]):\n    seen.append(name)\n    return seen\n"


@pytest.fixture(autouse=True)
def code(workspace: Path) -> None:
    (workspace / "src").mkdir()
    (workspace / "src" / "app.py").write_text(APP, encoding="utf-8")


async def test_each_provider_is_asked_with_its_own_times_access_and_model(run: Any) -> None:
    asked: list[Question] = []

    def model(question: Question) -> Any:
        asked.append(question)
        return {"findings": []}

    providers = [{"name": "model", "model": "large", "stall_timeout": 5}, "model:small"]
    args = {"providers": providers, "timeout": 60, "stall_timeout": 30, "prompt": "Look {at} this."}
    outcome = await run("review", args, model)

    assert outcome.result["decision"] == "PASS"
    assert sorted((each.model, each.stall_timeout, each.timeout, each.access) for each in asked) == [
        ("large", 5.0, 60.0, "read"),
        ("small", 30.0, 60.0, "read"),
    ]
    assert all(each.prompt.startswith("Look {at} this.\n\nReview: the whole folder\n") for each in asked)


async def test_the_same_name_twice_is_asked_once(run: Any) -> None:
    outcome = await run("review", {"providers": ["model", "model"]}, lambda question: {"findings": []})
    assert [each["provider"] for each in outcome.result["reviews"]] == ["model"]


async def test_a_strict_contract_is_one_that_providers_can_keep_by_themselves(run: Any) -> None:
    from engine.providers.agents.strict_schema import is_strict

    asked: list[Question] = []

    def model(question: Question) -> Any:
        asked.append(question)
        return {"summary": "", "findings": [finding(line=None, symbol=None, confidence=None)]}

    outcome = await run("review", {"providers": ["model"], "strict_contract": True}, model)
    assert outcome.result["counts"]["medium"] == 1
    assert is_strict(asked[0].schema)


async def test_without_names_whoever_answers_by_default_reviews(run: Any) -> None:
    outcome = await run("review", {}, lambda question: {"findings": [finding(severity="high")]})
    assert (outcome.result["decision"], outcome.status) == ("ESCALATE", "done")


async def test_without_names_and_without_a_model_static_analysis_reviews(run: Any) -> None:
    outcome = await run("review", {"target_paths": ["src"]})

    assert outcome.result["decision"] == "ESCALATE"
    assert outcome.result["reviews"][0]["provider"] == "builtin"
    assert "No language model was used" in outcome.result["report"]
    assert "`src/app.py:1`" in outcome.result["report"]


async def test_a_review_is_reused_until_what_may_be_read_changes(run: Any, workspace: Path) -> None:
    args = {"providers": ["model"], "allow_paths": ["src"]}
    answer = {"findings": []}
    await run("review", args, lambda question: answer)
    (workspace / "other.py").write_text("x = 1\n", encoding="utf-8")
    assert (await run("review", args, lambda question: answer)).steps["reused"] == 1
    (workspace / "src" / "app.py").write_text("x = 1\n", encoding="utf-8")
    assert (await run("review", args, lambda question: answer)).steps["reused"] == 0


async def test_a_failure_is_told_with_its_reason(run: Any) -> None:
    def model(question: Question) -> Any:
        raise StepFailed("quota", "come back tomorrow", provider="model")

    outcome = await run("review", {"providers": ["model"]}, model)
    assert (outcome.result["decision"], outcome.result["reason"]) == ("FAIL", "no provider gave a review")
    assert outcome.result["reviews"][0]["error"]["reason"] == "quota"
    assert outcome.status == "partial"


@pytest.mark.parametrize(
    "args",
    [
        {"providers": [{"model": "x"}]},
        {"providers": [{"name": "model", "access": "root"}]},
        {"target_paths": []},
        {"timeout": 0},
        {"nonsense": 1, "strict_contract": "yes"},
    ],
)
async def test_wrong_arguments_are_refused_before_anything_is_asked(run: Any, args: dict[str, Any]) -> None:
    from engine.errors import UsageError

    with pytest.raises(UsageError):
        await run("review", args, lambda question: {"findings": []})
