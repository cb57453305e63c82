"""Qwen Code by recorded lines: what it may say, and what mco makes of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.agents.qwen import Qwen, build
from engine.providers.base import Progress, Question
from engine.step import Usage
from tests.providers.agents.stage import Stage

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")]
INIT = {"type": "system", "subtype": "init", "session_id": "s-1", "model": "qwen3-coder"}
USAGE = {"input_tokens": 8966, "output_tokens": 8, "cache_read_input_tokens": 4483, "total_tokens": 8974}
DONE = {"type": "result", "subtype": "success", "is_error": False, "result": "done", "usage": USAGE}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, build, "qwen")


def said(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "assistant", "message": {"role": "assistant", "content": list(blocks)}}


def failed(message: str) -> dict[str, Any]:
    error = {"message": message}
    return {"type": "result", "subtype": "error_during_execution", "is_error": True, "error": error}


def retry(attempt: int, delay: int) -> dict[str, Any]:
    data = {"reason": "retry", "attempt": attempt, "maxRetries": 10, "delayMs": delay}
    return {"type": "system", "subtype": "retry", "data": data}


async def test_the_result_is_the_answer_not_what_was_said_on_the_way(stage: Stage):
    blocks = (
        {"type": "text", "text": "looking"},
        {"type": "tool_use", "name": "glob", "input": {"pattern": "*"}},
    )
    asker = stage.play([INIT, said(*blocks), said({"type": "text", "text": "done done"}), DONE])
    answer = await asker.ask()
    assert (answer.value, answer.session_id, answer.model) == ("done", "s-1", "qwen3-coder")
    assert answer.usage == Usage(
        input_tokens=8966, cached_tokens=4483, output_tokens=8, reasoning_tokens=None, cost=None
    )
    assert asker.progress == [
        Progress("text", "looking"),
        Progress("tool", "glob *"),
        Progress("text", "done done"),
    ]


@pytest.mark.parametrize("value", [{"n": 5}, {}, None])
async def test_a_structured_value_comes_before_the_text(stage: Stage, value: Any):
    call = {"type": "tool_use", "name": "structured_output", "input": value}
    asker = stage.play([INIT, said(call), {**DONE, "structured_result": value}])
    assert (await asker.ask(schema={"type": "object"}, max_tool_calls=0)).value == value
    (option,) = [word for word in stage.arguments if word.startswith("--json-schema=@")]
    assert not Path(option.removeprefix("--json-schema=@")).exists()
    assert stage.input == "Say something."


async def test_what_nobody_measured_stays_unknown(stage: Stage):
    for usage in ({}, {"input_tokens": "many", "output_tokens": -1}, None):
        answer = await stage.play([INIT, {**DONE, "usage": usage}]).ask()
        assert answer.usage == Usage()


@pytest.mark.parametrize(
    ("lines", "code", "errors", "reason", "words"),
    [
        ([failed("[API Error: 401 no such key]")], 1, "", "auth", "no such key"),
        ([failed("No auth type is selected. Please configure one.")], 1, "", "auth", "auth type"),
        ([failed("Missing API key for OpenAI-compatible auth.")], 1, "", "auth", "API key"),
        ([failed("[API Error: 429 slow down]")], 1, "", "rate_limited", "slow down"),
        ([failed("[API Error: 429 insufficient_quota]")], 1, "", "quota", "quota"),
        ([failed("[API Error: 500 oops]")], 1, "", "network", "oops"),
        ([failed("[API Error: 400 wrong]")], 1, "", "refused", "wrong"),
        ([failed("[API Error: 404 no such model]")], 1, "", "not_found", "no such model"),
        ([failed("[API Error: Connection error. (cause: fetch failed)]")], 1, "", "network", "fetch failed"),
        ([failed("[API Error: terminated]")], 1, "", "network", "terminated"),
        ([failed("[API Error: Model stream ended with empty response text.]")], 1, "", "bad_output", "empty"),
        ([failed("Model produced plain text instead of calling the structured_output tool")], 1, "",
         "bad_output", "text instead of a value"),
        ([failed("something else")], 1, "", "crashed", "something else"),
        ([{**failed(""), "error": "odd"}], 1, "", "crashed", "error_during_execution"),
        ([], 52, "Invalid --json-schema", "unsupported", "schema"),
        ([], 53, "Reached max session turns", "refused", "limit"),
        ([], 55, "Run aborted", "refused", "limit"),
        ([], 1, "boom", "crashed", "exit code 1: boom"),
        ([], 0, "", "crashed", "without an answer"),
        ([said({"type": "text", "text": "half"})], 0, "", "crashed", "without an answer"),
        ([DONE], 1, "boom", "crashed", "boom"),
        ([{**DONE, "result": " \n"}], 0, "", "bad_output", "answered nothing"),
        ([{**DONE, "is_error": True}], 0, "", "crashed", "success"),
    ],
)  # fmt: skip
async def test_a_failure_has_its_reason(
    stage: Stage, *, lines: list[Any], code: int, errors: str, reason: str, words: str
):
    with pytest.raises(StepFailed) as caught:
        await stage.play([INIT, *lines], code, errors).ask()
    assert caught.value.reason == reason
    assert words in str(caught.value)
    assert caught.value.provider == "qwen"


async def test_it_may_wait_for_a_minute_twice_and_then_mco_takes_over(stage: Stage):
    asker = stage.play([INIT, retry(1, 60_000), retry(2, 60_000), DONE])
    assert (await asker.ask()).value == "done"
    assert [progress.what for progress in asker.progress] == ["note", "note"]
    with pytest.raises(StepFailed) as caught:
        await stage.play([INIT, *(retry(attempt, 60_000) for attempt in (1, 2, 3)), DONE]).ask()
    assert (caught.value.reason, caught.value.retry_after) == ("rate_limited", 60)


async def test_short_waits_are_its_own_affair(stage: Stage):
    assert (await stage.play([INIT, *(retry(attempt, 500) for attempt in range(1, 9)), DONE]).ask()).value


async def test_lines_that_mean_nothing_are_passed_over(stage: Stage):
    odd = ["notice", "", "[1, 2]", "{broken", {"type": 7}, {"type": "stream_event", "event": 1}, retry(1, -4)]
    odd += [{"type": "assistant"}, {"type": "assistant", "message": {"content": [1, {"type": "text"}]}}]
    assert (await stage.play([*odd, INIT, *odd, DONE, *odd]).ask()).value == "done"


async def test_a_line_may_have_megabytes(stage: Stage):
    answer = await stage.play([INIT, {**DONE, "result": "x" * 3_000_000}]).ask()
    assert answer.value == "x" * 3_000_000


@pytest.mark.parametrize("access", ["read", "write", "full"])
async def test_how_it_is_started(stage: Stage, access: str):
    await stage.play([INIT, DONE]).ask("/clear all", access=access, model="m")
    assert stage.input == "\n/clear all"
    expected = {"--output-format=stream-json", "--safe-mode", "--approval-mode=default", "--model=m"}
    assert expected <= set(stage.arguments)
    allowed = {word for word in stage.arguments if word.startswith("--allowed-tools=")}
    assert ("--allowed-tools=run_shell_command" in allowed) == (access == "full")
    assert ("--allowed-tools=write_file(/**)" in allowed) == (access == "write")
    assert bool(allowed) == (access != "read")
    assert stage.environment["QWEN_CODE_NO_RELAUNCH"] == "true"


async def test_only_its_own_variables_pass(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    theirs = {"OPENAI_API_KEY": "k", "QWEN_CODE": "1", "QWEN_CODE_SESSION_ID": "s", "GITHUB_TOKEN": "a"}
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    await stage.play([INIT, DONE]).ask()
    assert theirs.keys() & stage.environment.keys() == {"OPENAI_API_KEY"}


def test_a_folder_is_untrusted_until_the_user_trusts_it(tmp_path: Path):
    invocation = Qwen({}).invocation(Question("x", tmp_path), "x", tmp_path)
    defaults = json.loads(Path(invocation.environment["QWEN_CODE_SYSTEM_DEFAULTS_PATH"]).read_text())
    assert defaults["security"]["folderTrust"]["enabled"] is True
    own = {"QWEN_CODE_SYSTEM_DEFAULTS_PATH": "/own"}
    assert own.keys().isdisjoint(Qwen(own).invocation(Question("x", tmp_path), "x", tmp_path).environment)


SERVICE = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://x", "OPENAI_MODEL": "m"}


@pytest.mark.parametrize(
    ("variables", "files", "known"),
    [
        ({}, {}, False),
        ({"OPENAI_API_KEY": "k"}, {}, False),
        (SERVICE, {}, True),
        ({}, {"oauth_creds.json": "{}"}, True),
        ({}, {"settings.json": "[]"}, False),
        ({}, {"settings.json": json.dumps({"security": {"auth": {"selectedType": "openai"}}})}, None),
        ({}, {"settings.json": json.dumps({"modelProviders": {"openai": []}})}, None),
        ({}, {".env": "OPENAI_API_KEY=k"}, None),
    ],
)
def test_its_variables_and_files_tell_whether_it_is_signed_in(
    variables: dict[str, str], files: dict[str, str], known: bool | None
):
    folder = Path(os.environ["HOME"]) / ".qwen"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    environment = {"HOME": os.environ["HOME"], **variables}
    assert Qwen(environment).sign_in(environment).known is known
