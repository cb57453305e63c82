"""People test their workflows with the real sandbox and their own answers; mistakes in a test are said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from engine.errors import ScriptFailed, UsageError
from engine.testing.workflow import Answer, Failure, Step, Usage, run_workflow, run_workflow_async

REVIEW = """\
meta = {"name": "review", "description": "two reviewers and a report", "phases": [{"title": "Look"}]}
FOUND = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}


async def main(args):
    phase("Look")
    log("begins")
    found = await parallel([
        lambda: agent("Look for bugs.", label="bugs", schema=FOUND),
        lambda: agent("Look for leaks.", label="leaks", provider="claude:opus", access="read", schema=FOUND),
    ])
    return await agent(f"Merge {found}", label="report", reads=[])
"""
BOTH = {"bugs": {"count": 2}, "leaks": {"count": 0}}


@pytest.fixture
def review(tmp_path: Path) -> Path:
    path = tmp_path / "review.py"
    path.write_text(REVIEW, encoding="utf-8")
    return path


def script(folder: Path, body: str, name: str = "flow") -> Path:
    path = folder / f"{name}.py"
    path.write_text(f'meta = {{"name": "{name}", "description": "x"}}\n\nasync def main(args):\n{body}')
    return path


def test_a_workflow_runs_with_the_answers_of_the_test(review: Path) -> None:
    outcome = run_workflow(review, answers={**BOTH, "report": lambda step: step.prompt.upper()})

    assert outcome.status == "done"
    assert outcome.result == "MERGE [{'COUNT': 2}, {'COUNT': 0}]"
    assert outcome.labels == ["bugs", "leaks", "report"]
    assert outcome.logs == ("begins",)
    assert outcome.phases == ("Look",)
    assert outcome.step("leaks").providers == ("claude:opus",)
    assert outcome.step("bugs").providers == ()
    assert outcome.step("report").prompt == "Merge [{'count': 2}, {'count': 0}]"
    assert outcome.step("bugs").answer == {"count": 2}


def test_a_failure_reaches_the_script_with_its_reason(review: Path) -> None:
    outcome = run_workflow(review, answers={**BOTH, "leaks": Failure("quota", "come back"), "report": "ok"})

    assert (outcome.status, outcome.result) == ("partial", "ok")
    assert outcome.step("leaks").failure == "quota: come back"
    assert outcome.step("leaks").answer is None
    assert outcome.step("report").prompt == "Merge [{'count': 2}, None]"


def test_a_failure_for_a_reason_that_there_is_not_is_a_mistake_of_the_test(review: Path) -> None:
    with pytest.raises(AssertionError, match=r"has no such reason: 'timeuot'\nhint: there are: .*timeout"):
        run_workflow(review, answers={**BOTH, "bugs": Failure(cast("Any", "timeuot"))})


def test_patterns_take_what_no_label_takes_and_what_nobody_used_is_told(review: Path) -> None:
    outcome = run_workflow(
        review, answers={"*s": {"count": 7}, "report": "ok", "bugs": {"count": 1}, "old": "x"}
    )

    assert outcome.step("report").prompt == "Merge [{'count': 1}, {'count': 7}]"
    assert outcome.unused == ("old",)


def test_a_step_without_an_answer_is_a_mistake_of_the_test_which_is_said(review: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        run_workflow(review, answers={**BOTH, "reprot": "ok"})

    assert str(caught.value) == (
        "there is no answer for the step 'report': it asks: Merge [{'count': 2}, {'count': 0}]\n"
        "hint: did you mean 'reprot'?"
    )


def test_samples_answer_what_has_no_answer(review: Path) -> None:
    outcome = run_workflow(review, samples=True)

    assert outcome.result == "[stub: report]"
    assert outcome.step("bugs").answer == {"count": 0}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"count": "2"}, '$.count: "2" is not of type "integer"'),
        ("two", "no JSON"),
        ({"count": {1}}, "not JSON"),
    ],
)
def test_an_answer_that_does_not_fit_the_schema_is_refused(review: Path, wrong: object, why: str) -> None:
    with pytest.raises(AssertionError, match="the answer for the step 'bugs' does not fit") as caught:
        run_workflow(review, answers={**BOTH, "bugs": wrong, "report": "ok"})

    assert why in str(caught.value)


def test_a_step_without_a_schema_is_answered_with_text(review: Path) -> None:
    with pytest.raises(AssertionError, match="answered with a text, not with int"):
        run_workflow(review, answers={**BOTH, "report": 3})


def test_what_a_function_asserts_of_a_prompt_fails_the_test(review: Path) -> None:
    def answer(step: Step) -> str:
        assert "nothing of the kind" in step.prompt
        return "ok"

    with pytest.raises(AssertionError, match="the function that answers the step 'report' raised: Assertion"):
        run_workflow(review, answers={**BOTH, "report": answer})


def test_the_result_of_a_workflow_that_failed_says_why(tmp_path: Path) -> None:
    outcome = run_workflow(script(tmp_path, "    return [][1]\n"), answers={})

    assert outcome.status == "failed"
    assert isinstance(outcome.error, ScriptFailed)
    with pytest.raises(AssertionError, match=r"the workflow failed: .*IndexError"):
        _ = outcome.result


def test_a_script_that_does_not_compile_says_all_its_problems(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        run_workflow(script(tmp_path, "    import os\n    return open('x')\n"))

    assert "import" in str(caught.value)
    assert "open" in str(caught.value)


def test_wrong_arguments_are_refused_as_a_run_would(review: Path, tmp_path: Path) -> None:
    path = script(tmp_path, "    return args\n")
    path.write_text(path.read_text().replace('"x"', '"x", "args": {"type": "object", "required": ["n"]}'))

    with pytest.raises(UsageError, match="do not fit"):
        run_workflow(path)


def test_a_budget_is_spent_by_what_the_answers_say(tmp_path: Path) -> None:
    path = script(tmp_path, "    await agent('a', label='a')\n    await agent('b', label='b')\n")
    answers = {"*": Answer("x", usage=Usage(input_tokens=90, output_tokens=20))}
    outcome = run_workflow(path, answers=answers, settings={"budget": 100})

    assert outcome.status == "ceiling"


def test_workflows_inside_are_found_beside_the_script_or_where_the_test_says(tmp_path: Path) -> None:
    inner = script(tmp_path, "    return await agent('in', label='in')\n", "inner")
    (tmp_path / "else").mkdir()
    far = script(tmp_path / "else", "    return 'far'\n", "far")
    body = "    return [await workflow('inner'), await workflow('remote')]\n"
    outcome = run_workflow(script(tmp_path, body), answers={"in": "near"}, workflows={"remote": far})

    assert inner.exists()
    assert outcome.result == ["near", "far"]


def test_the_strategies_are_the_real_ones(tmp_path: Path) -> None:
    body = "    return await agent('x', label='x', providers=['claude', 'codex:o3'], strategy='all')\n"
    outcome = run_workflow(script(tmp_path, body), answers={"x": "said"})

    assert [(one["provider"], one["output"]) for one in outcome.result] == [
        ("claude", "said"),
        ("codex:o3", "said"),
    ]


@pytest.mark.anyio
async def test_there_is_a_form_for_tests_that_have_a_loop(review: Path) -> None:
    async def slow(step: Step) -> str:
        return step.label

    outcome = await run_workflow_async(review, answers={**BOTH, "report": slow})

    assert outcome.result == "report"


def test_nothing_of_the_user_is_read_or_written(review: Path, hermetic_environment: Path) -> None:
    settings = hermetic_environment / "config" / "mco" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("this is no TOML")
    before = sorted(hermetic_environment.rglob("*"))
    run_workflow(review, samples=True)

    assert sorted(hermetic_environment.rglob("*")) == before
    assert [path.name for path in review.parent.iterdir()] == ["review.py"]


def test_a_cassette_and_answers_are_one_too_many(review: Path) -> None:
    with pytest.raises(UsageError, match="its own answers"):
        run_workflow(review, cassette="x.json", answers=BOTH)
