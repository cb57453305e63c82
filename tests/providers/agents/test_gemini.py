"""Gemini CLI by recorded lines: what it may say, and what mco makes of it."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.agents.gemini import Gemini, build
from engine.providers.agents.gemini_policy import write_policies
from engine.providers.base import Progress
from engine.step import Access, Usage
from tests.providers.agents.stage import Stage

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")]
INIT = {"type": "init", "session_id": "s-1", "model": "gemini-3-pro"}
STATS = {"total_tokens": 10130, "input_tokens": 10122, "output_tokens": 1, "cached": 5061, "input": 5061}
DONE = {"type": "result", "status": "success", "stats": STATS}
TOOL = {"type": "tool_use", "tool_name": "read_file", "tool_id": "t", "parameters": {"file_path": "a.txt"}}
READ = {"type": "tool_result", "tool_id": "t", "status": "success", "output": ""}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, build, "gemini")


def said(text: str, role: str = "assistant") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": text, "delta": True}


def failed(message: str) -> dict[str, Any]:
    return {"type": "result", "status": "error", "error": {"type": "unknown", "message": message}}


async def test_what_it_said_after_its_last_tool_is_the_answer(stage: Stage):
    lines = [
        INIT,
        said("the prompt", "user"),
        said("looking"),
        TOOL,
        READ,
        said("it is "),
        said("done"),
        DONE,
    ]
    asker = stage.play(lines)
    answer = await asker.ask()
    assert (answer.value, answer.session_id, answer.model) == ("it is done", "s-1", "gemini-3-pro")
    assert asker.progress == [
        Progress("text", "looking"),
        Progress("tool", "read_file a.txt"),
        Progress("text", "it is "),
        Progress("text", "done"),
    ]


async def test_thoughts_are_what_the_total_has_besides(stage: Stage):
    answer = await stage.play([INIT, said("x"), DONE]).ask()
    assert answer.usage == Usage(
        input_tokens=10122, cached_tokens=5061, output_tokens=8, reasoning_tokens=7, cost=None
    )


async def test_what_nobody_measured_stays_unknown(stage: Stage):
    for stats in ({}, {"input_tokens": "many", "output_tokens": -1, "cached": True}, [1]):
        answer = await stage.play([INIT, said("x"), {**DONE, "stats": stats}]).ask()
        assert answer.usage == Usage()


@pytest.mark.parametrize(
    ("lines", "code", "errors", "reason", "words"),
    [
        ([failed("[API Error: no]")], 145, "", "auth", "API Error"),
        ([failed("[API Error: no]")], 147, "", "auth", "API Error"),
        ([failed("[API Error: no]")], 173, "", "rate_limited", "API Error"),
        ([failed("[API Error: no]")], 144, "", "refused", "API Error"),
        ([failed("[API Error: no]")], 244, "", "network", "API Error"),
        ([failed("[API Error: no]")], 1, "stack\n  code: 404\n}", "not_found", "API Error"),
        ([failed("[API Error: fetch failed]")], 1, "", "network", "fetch failed"),
        ([failed("Reached max session turns")], 53, "", "refused", "turns"),
        ([failed("something else")], 1, "", "crashed", "something else"),
        ([failed("Your quota exceeded; it will reset after 1h2m3s.")], 173, "", "quota", "reset"),
        ([], 41, "Please set an Auth method", "auth", "no way to sign in"),
        ([], 55, "not running in a trusted directory", "unsupported", "does not trust"),
        ([], 1, "boom", "crashed", "exit code 1: boom"),
        ([], 0, "", "crashed", "without an answer"),
        ([said("half of it")], 0, "", "crashed", "without an answer"),
        ([said("all of it"), DONE], 1, "boom", "crashed", "boom"),
        ([DONE], 0, "", "bad_output", "answered nothing"),
        ([said("looking"), TOOL, READ, DONE], 0, "", "bad_output", "answered nothing"),
        ([said("before"), TOOL, DONE], 0, "", "bad_output", "answered nothing"),
        ([failed("Model stream ended with empty response text.")], 0, "", "bad_output", "empty response"),
        ([failed("Model stream ended without a finish reason.")], 0, "", "network", "finish reason"),
    ],
)
async def test_a_failure_has_its_reason(
    stage: Stage, *, lines: list[Any], code: int, errors: str, reason: str, words: str
):
    with pytest.raises(StepFailed) as caught:
        await stage.play([INIT, *lines], code, errors).ask()
    assert caught.value.reason == reason
    assert words in str(caught.value)
    assert caught.value.provider == "gemini"


async def test_when_a_quota_opens_again_is_handed_on(stage: Stage):
    asker = stage.play([INIT, failed("Quota exceeded. Your quota will reset after 1h2m3s.")], 173)
    with pytest.raises(StepFailed) as caught:
        await asker.ask()
    assert caught.value.retry_after == 3723


async def test_a_loop_that_it_stopped_is_told(stage: Stage):
    warning = {"type": "error", "severity": "warning", "message": "Loop detected, stopping execution"}
    with pytest.raises(StepFailed, match="Loop detected") as caught:
        await stage.play([INIT, TOOL, warning, DONE]).ask()
    assert caught.value.reason == "bad_output"


async def test_lines_that_mean_nothing_are_passed_over(stage: Stage):
    odd = [
        "Loaded cached credentials.",
        "",
        "[1, 2]",
        '"text"',
        "{broken",
        {"type": 7},
        {"type": "new_thing"},
    ]
    odd += [{"type": "message", "role": "assistant"}, {"type": "tool_use", "parameters": [1]}]
    answer = await stage.play([*odd, INIT, said("fine"), *odd[:-1], DONE]).ask()
    assert answer.value == "fine"


async def test_a_line_may_have_megabytes(stage: Stage):
    answer = await stage.play([INIT, said("p" * 3_000_000, "user"), said("x" * 3_000_000), DONE]).ask()
    assert answer.value == "x" * 3_000_000


@pytest.mark.parametrize(("access", "mode"), [("read", "default"), ("write", "auto_edit"), ("full", "yolo")])
async def test_how_it_is_started(stage: Stage, access: str, mode: str):
    await stage.play([INIT, said("x"), DONE]).ask("/clear all", access=access, model="m")
    assert stage.input == "\n/clear all"
    assert {"--output-format=stream-json", "--skip-trust", f"--approval-mode={mode}", "--model=m"} <= set(
        stage.arguments
    )
    limited = [word for word in stage.arguments if word.startswith(("--admin-policy=", "--policy=", "--ext"))]
    assert len(limited) == (0 if access == "full" else 3)
    assert stage.environment["GEMINI_CLI_NO_RELAUNCH"] == "true"


async def test_only_its_own_variables_pass(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    theirs = {"GEMINI_API_KEY": "k", "GEMINI_CLI": "1", "GIT_CONFIG_COUNT": "8", "ANTHROPIC_API_KEY": "a"}
    theirs |= {"GEMINI_CLI_TRUST_WORKSPACE": "true"}
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    await stage.play([INIT, said("x"), DONE]).ask()
    assert theirs.keys() & stage.environment.keys() == {"GEMINI_API_KEY"}


async def test_a_prompt_that_it_would_cut_is_not_sent(stage: Stage):
    with pytest.raises(StepFailed, match="more than gemini reads") as caught:
        await stage.play([INIT, said("x"), DONE]).ask("x" * (8 * 1024 * 1024 + 1))
    assert caught.value.reason == "unsupported"
    assert not (stage.folder / "arguments").exists()


def test_the_rules_name_what_is_allowed_and_deny_the_rest(tmp_path: Path):
    cases: tuple[tuple[Access, bool], ...] = (("read", False), ("write", True))
    for access, writes in cases:
        files = write_policies(access, tmp_path)
        top, allowed, floor = tomllib.loads(files.allowed.read_text())["rule"]
        assert tomllib.loads(files.denied.read_text())["rule"] == [top]
        assert (top["decision"], allowed["decision"], floor["decision"]) == ("deny", "allow", "deny")
        assert top["priority"] > allowed["priority"] > floor["priority"]
        assert floor["toolName"] == ["*"]
        assert {"run_shell_command", "exit_plan_mode", "mcp_*"} <= set(top["toolName"])
        assert ("write_file" in allowed["toolName"], "write_file" in top["toolName"]) == (writes, not writes)
        assert not set(top["toolName"]) & set(allowed["toolName"])


@pytest.mark.parametrize(
    ("variables", "files", "known"),
    [
        ({}, {}, False),
        ({"GEMINI_API_KEY": ""}, {}, False),
        ({"GEMINI_API_KEY": "k"}, {}, True),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "true"}, {}, True),
        ({}, {"oauth_creds.json": "{}"}, True),
        ({}, {"settings.json": "{broken"}, False),
        ({}, {"settings.json": json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}})}, None),
        ({}, {".env": "GEMINI_API_KEY=k"}, None),
    ],
)
def test_its_variables_and_files_tell_whether_it_is_signed_in(
    variables: dict[str, str], files: dict[str, str], known: bool | None
):
    folder = Path(os.environ["HOME"]) / ".gemini"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    environment = {"HOME": os.environ["HOME"], **variables}
    assert Gemini(environment).sign_in(environment).known is known
