"""Claude Code by recorded lines: what it may say, and what mco makes of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.process import Exit
from engine.providers.agents.claude import Claude, build
from engine.providers.agents.claude_hearing import ClaudeHearing
from engine.providers.base import Progress
from engine.step import Usage
from tests.providers.agents.stage import Stage

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")]
INIT = {"type": "system", "subtype": "init", "session_id": "s-1", "model": "opus-5", "tools": ["Read"]}
FINE = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": "all is well",
    "session_id": "s-1",
    "stop_reason": "end_turn",
    "total_cost_usd": 0.0268,
    "usage": {
        "input_tokens": 6343,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 6342,
        "output_tokens": 8,
        "output_tokens_details": {"thinking_tokens": 3},
    },
}
BY_MODEL = {
    "big": {
        "inputTokens": 100,
        "outputTokens": 10,
        "cacheReadInputTokens": 50,
        "cacheCreationInputTokens": 5,
    },
    "small": {"inputTokens": 7, "outputTokens": 2, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0},
}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, build, "claude")


def said(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"model": "opus-5", "content": list(blocks)}, **more}


def failed(text: str, status: int | None = None, **more: Any) -> dict[str, Any]:
    error = {"is_error": True, "api_error_status": status, "result": text}
    return {**FINE, **error, **more}


async def test_text_usage_session_model_and_progress(stage: Stage):
    tool = {"type": "tool_use", "name": "Read", "input": {"file_path": "a.py"}}
    asker = stage.play([INIT, said({"type": "text", "text": "looking"}, tool), FINE])
    answer = await asker.ask()
    assert (answer.value, answer.session_id, answer.model) == ("all is well", "s-1", "opus-5")
    assert answer.usage == Usage(
        input_tokens=6343 + 6342 + 10, cached_tokens=6342, output_tokens=8, reasoning_tokens=3, cost=0.0268
    )
    assert asker.progress == [Progress("text", "looking"), Progress("tool", "Read a.py")]


async def test_helpers_that_used_other_models_are_counted(stage: Stage):
    answer = await stage.play([{**FINE, "modelUsage": BY_MODEL}]).ask()
    usage = answer.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (162, 50, 12)


async def test_what_is_not_a_number_was_not_measured(stage: Stage):
    odd = {"input_tokens": "12", "output_tokens": -1, "cache_read_input_tokens": True}
    answer = await stage.play([{**FINE, "usage": odd, "total_cost_usd": "cheap", "modelUsage": []}]).ask()
    assert answer.usage == Usage()


async def test_odd_lines_and_one_of_megabytes_do_no_harm(stage: Stage):
    long = "x" * 5_000_000
    odd = ["", "warning: {", "[1]", "null", '{"type": 7}', '{"type": "assistant", "message": 3}', "\x00"]
    answer = await stage.play([*odd, {"type": "later", "a": 1}, {**FINE, "result": long}, *odd]).ask()
    assert answer.value == long


async def test_a_structured_value_wins_over_the_text(stage: Stage):
    schema = {"type": "object"}
    answering = said({"type": "tool_use", "name": "StructuredOutput", "input": {"n": 1}})
    asker = stage.play([answering, {**FINE, "structured_output": {"n": 1}}])
    answer = await asker.ask(schema=schema, max_tool_calls=0)
    assert answer.value == {"n": 1}
    assert f"--json-schema={json.dumps(schema, separators=(',', ':'))}" in stage.arguments
    without = await stage.play([{**FINE, "result": '{"n": 2}'}]).ask(schema=schema)
    assert without.value == '{"n": 2}'


@pytest.mark.parametrize(
    ("lines", "code", "errors", "reason"),
    [
        ([INIT], 0, "", "crashed"),
        ([], 1, "Error: something broke", "crashed"),
        ([], 1, "connect ECONNREFUSED 127.0.0.1:1", "network"),
        ([FINE], 1, "", "crashed"),
        ([{**FINE, "result": " \n"}], 0, "", "bad_output"),
        ([{**FINE, "result": None}], 0, "", "bad_output"),
        ([{**FINE, "result": "", "stop_reason": "refusal"}], 0, "", "refused"),
        ([{k: v for k, v in FINE.items() if k != "is_error"}], 0, "", "crashed"),
        ([failed("Failed to authenticate. API Error: 401 no", 401)], 1, "", "auth"),
        ([failed("Not logged in · Please run /login")], 1, "", "auth"),
        ([failed("API Error: Request rejected (429) slow down", 429)], 1, "", "rate_limited"),
        ([failed("You've hit your limit · resets 3pm", 429)], 1, "", "quota"),
        ([failed("API Error: 400 Your credit balance is too low", 400)], 1, "", "quota"),
        ([failed("API Error: 400 prompt is too long", 400)], 1, "", "refused"),
        ([failed("There's an issue with the selected model", 404)], 1, "", "not_found"),
        ([failed("API Error: 529 Overloaded", 529)], 1, "", "network"),
        ([failed("API Error: Connection refused (ECONNREFUSED)")], 1, "", "network"),
        ([failed("API returned an empty or malformed response")], 1, "", "network"),
        ([failed("", None, subtype="error_max_turns")], 1, "", "refused"),
        ([failed("", None, subtype="error_during_execution", errors=["No conversation"])], 1, "", "crashed"),
        ([{**FINE, "subtype": "error_during_execution"}], 0, "", "crashed"),
    ],
)
async def test_a_failure_has_its_reason(stage: Stage, lines: Any, code: int, errors: str, reason: str):
    with pytest.raises(StepFailed) as caught:
        await stage.play(lines, code, errors).ask()
    assert (caught.value.reason, caught.value.provider) == (reason, "claude")


def retry(attempt: int, status: int | None, delay: int) -> dict[str, Any]:
    about = {"attempt": attempt, "retry_delay_ms": delay, "error_status": status, "error": "rate_limit"}
    return {"type": "system", "subtype": "api_retry", **about}


async def test_a_wait_that_the_service_asked_for_is_told_from_its_own(stage: Stage):
    for delay, expected in ((20_400, 20.4), (600, None)):
        with pytest.raises(StepFailed) as caught:
            await stage.play([retry(1, 429, delay), failed("API Error: 429", 429)], 1).ask()
        assert caught.value.retry_after == expected


async def test_an_old_login_may_be_renewed_once(stage: Stage):
    assert (await stage.play([retry(1, 401, 500), FINE]).ask()).value == "all is well"
    with pytest.raises(StepFailed) as caught:
        await stage.play([retry(1, 401, 500), retry(2, 401, 900), FINE]).ask()
    assert caught.value.reason == "auth"


def test_a_subscription_that_is_used_up_says_when_it_is_open_again():
    hearing = ClaudeHearing(lambda: 1_000.0)
    info = {"status": "rejected", "resetsAt": 1_600, "rateLimitType": "five_hour"}
    assert list(hearing.line({"type": "rate_limit_event", "rate_limit_info": info})) == []
    list(hearing.line(failed("API Error: Request rejected (429)", 429)))
    with pytest.raises(StepFailed) as caught:
        hearing.answer(Exit(1, None, "", 0.1))
    assert (caught.value.reason, caught.value.retry_after) == ("quota", 600.0)


async def test_the_prompt_is_input_and_never_an_argument(stage: Stage):
    await stage.play([FINE]).ask("--help me $(id)", model="opus", effort="high")
    assert stage.input == "--help me $(id)"
    assert not any("help" in argument for argument in stage.arguments)
    assert {"--model=opus", "--effort=high", "--setting-sources=user"} <= set(stage.arguments)


@pytest.mark.parametrize(
    ("access", "option"),
    [
        ("read", "--tools=Read,Grep,Glob"),
        ("write", "--permission-mode=acceptEdits"),
        ("full", "--permission-mode=bypassPermissions"),
    ],
)
async def test_access_is_its_own_switch(stage: Stage, access: str, option: str):
    await stage.play([FINE]).ask(access=access)
    assert option in stage.arguments
    assert ("--permission-mode=bypassPermissions" in stage.arguments) == (access == "full")


async def test_keys_pass_and_what_an_outer_run_left_does_not(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    passing = {"ANTHROPIC_API_KEY": "k", "CLAUDE_CONFIG_DIR": "/c", "HTTPS_PROXY": "p", "MINE": "m"}
    staying = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "outer", "OPENAI_API_KEY": "other"}
    for name, value in {**passing, **staying}.items():
        monkeypatch.setenv(name, value)
    await stage.play([FINE], environment=["MINE"]).ask()
    assert passing.items() <= stage.environment.items()
    assert not staying.keys() & stage.environment.keys()
    assert stage.environment["CLAUDE_CODE_DISABLE_ATTACHMENTS"] == "1"
    assert stage.environment["CLAUDE_CODE_MAX_RETRIES"] == "4"


async def test_more_tool_calls_than_allowed_end_the_run(stage: Stage):
    tool = said({"type": "tool_use", "name": "Read", "input": {}})
    assert (await stage.play([tool, tool, FINE]).ask(max_tool_calls=2)).value == "all is well"
    with pytest.raises(StepFailed, match="more than 1 tool call") as caught:
        await stage.play([tool, tool, FINE]).ask(max_tool_calls=1)
    assert caught.value.reason == "refused"


async def test_the_user_may_keep_it_to_reading(stage: Stage):
    asker = stage.play([FINE], access=["read"])
    assert asker.provider.access == {"read"}
    with pytest.raises(StepFailed, match="cannot be asked with 'write'") as caught:
        await asker.ask(access="write")
    assert caught.value.reason == "unsupported"


def test_it_is_not_ready_without_the_program_or_without_a_login(stage: Stage):
    assert "not on the PATH" in stage.play([], program="no-such-program").provider.readiness().why
    readiness = stage.play([]).provider.readiness()
    assert (readiness.ready, readiness.why) == (False, "it is not signed in")
    assert "ANTHROPIC_API_KEY" in readiness.hint


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (".claude/.credentials.json", "{}"),
        (".claude.json", '{"oauthAccount": {"emailAddress": "a@example.com"}}'),
        (".claude/settings.json", '{"apiKeyHelper": "give-key"}'),
        (".claude/settings.json", '{"env": {"ANTHROPIC_AUTH_TOKEN": "t"}}'),
    ],
)
def test_a_login_on_disk_is_found(stage: Stage, file: str, content: str):
    path = Path(os.environ["HOME"]) / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    assert stage.play([]).provider.readiness().ready


@pytest.mark.parametrize(
    ("version", "remark"),
    [
        ("2.1.329", ""),
        ("3.0.0", "newer than those it was tried with (2.1.329)"),
        ("1.9.0", "older than those it was tried with (2.1.197)"),
        ("2.1.200", "not one of those it was tried with (2.1.197, 2.1.329)"),
        (None, "its version cannot be told"),
    ],
)
def test_a_version_it_was_not_tried_with_works_with_a_remark(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, version: str | None, remark: str
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    if version:
        package = {"name": "@anthropic-ai/claude-code", "version": version}
        (stage.folder / "package.json").write_text(json.dumps(package))
    readiness = stage.play([]).provider.readiness()
    assert (readiness.ready, readiness.version, readiness.remark) == (True, version, remark)


def test_the_native_installer_names_its_files_by_version():
    program = Path("/home/u/.local/share/claude/versions/2.1.329")
    assert Claude({}).version(program) == "2.1.329"
