"""The fake provider's rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed, UsageError
from engine.providers.base import Progress, ProviderContext, Question
from engine.providers.fake import FakeProvider, build, echo
from engine.step import Answer

pytestmark = pytest.mark.anyio

RULES = """
[[rules]]
match = "flaky"
fail = "rate_limited"
message = "slow down"
retry_after = 3.0
times = 1

[[rules]]
match = "flaky|number"
value = { n = 4 }
usage = { input_tokens = 10, cost = 0.01 }
progress = ["Read a.py"]

[[rules]]
match = '^exact$'
reply = "yes"
"""


async def ask(tmp_path: Path, *prompts: str, schema: Any = None) -> list[Answer | StepFailed]:
    (tmp_path / "rules.toml").write_text(RULES)
    context = ProviderContext(
        name="fake", workspace=tmp_path, cache_folder=tmp_path,
        environment={"MCO_FAKE_RULES": str(tmp_path / "rules.toml")},
    )  # fmt: skip
    provider, answers = build(context), []
    progress: list[Progress] = []
    for prompt in prompts:
        try:
            answers.append(
                await provider.ask(
                    Question(prompt=prompt, workspace=tmp_path, schema=schema), progress.append
                )
            )
        except StepFailed as failure:
            answers.append(failure)
    return answers


async def test_the_first_rule_that_matches_answers_as_often_as_it_may(tmp_path: Path):
    first, second, third = await ask(tmp_path, "a flaky one", "a flaky one", "exact")
    assert isinstance(first, StepFailed)
    assert (first.reason, first.retry_after) == ("rate_limited", 3.0)
    assert isinstance(second, Answer)
    assert (second.value, second.usage.cost) == ({"n": 4}, 0.01)
    assert isinstance(third, Answer)
    assert third.value == "yes"


async def test_a_prompt_that_no_rule_takes_is_echoed_or_fits_the_schema(tmp_path: Path):
    (plain,) = await ask(tmp_path, "hello")
    (shaped,) = await ask(tmp_path, "hello", schema={"type": "array"})
    assert isinstance(plain, Answer)
    assert isinstance(shaped, Answer)
    assert (plain.value, shaped.value) == ("echo:hello", [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rules]]\nmach = 'x'\n", "rules.0.mach"),
        ("[[rules]\n", "not valid TOML"),
        ("[[rules]]\nfail = 'boom'\n", "rules.0.fail"),
    ],
)
def test_a_wrong_rules_file_is_named(tmp_path: Path, text: str, said: str):
    (tmp_path / "rules.toml").write_text(text)
    context = ProviderContext(
        name="fake",
        options={"rules": str(tmp_path / "rules.toml")},
        workspace=tmp_path,
        cache_folder=tmp_path,
    )
    with pytest.raises(UsageError) as caught:
        build(context)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"enum": []},
        {"not": {}},
        {"type": "array", "minItems": 10**8, "items": True},
        {"type": "string", "minLength": 10**8},
    ],
)
async def test_a_schema_that_nothing_small_fits_is_not_supported_and_says_so(tmp_path: Path, schema: Any):
    with pytest.raises(StepFailed, match="no sample fits the schema") as caught:
        await FakeProvider(echo).ask(Question(prompt="hi", workspace=tmp_path, schema=schema), print)
    assert caught.value.reason == "unsupported"
