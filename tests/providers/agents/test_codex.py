"""Codex by recorded lines: what it may say, and what mco makes of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.agents.codex import Codex, build
from engine.providers.base import Progress
from engine.step import Usage
from tests.providers.agents.stage import Stage

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")]
THREAD = {"type": "thread.started", "thread_id": "t-1"}
TOKENS = {
    "input_tokens": 10118,
    "cached_input_tokens": 5059,
    "cache_write_input_tokens": 0,
    "output_tokens": 8,
    "reasoning_output_tokens": 7,
}
DONE = {"type": "turn.completed", "usage": TOKENS}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, build, "codex")


@pytest.fixture
def settings() -> Path:
    """The user's own folder of Codex, with nothing in it."""
    folder = Path(os.environ["HOME"]) / ".codex"
    folder.mkdir()
    return folder


def message(text: str) -> dict[str, Any]:
    return {"type": "item.completed", "item": {"id": "item_9", "type": "agent_message", "text": text}}


def command(kind: str) -> dict[str, Any]:
    return {"type": kind, "item": {"id": "item_1", "type": "command_execution", "command": "ls"}}


def failed(text: str) -> list[dict[str, Any]]:
    return [{"type": "error", "message": text}, {"type": "turn.failed", "error": {"message": text}}]


async def test_the_last_message_is_the_answer(stage: Stage):
    lines = [THREAD, message("looking"), command("item.started"), command("item.completed"), message("done")]
    asker = stage.play([*lines, DONE])
    answer = await asker.ask(model="gpt-5")
    assert (answer.value, answer.session_id, answer.model) == ("done", "t-1", "gpt-5")
    assert answer.usage == Usage(
        input_tokens=10118, cached_tokens=5059, output_tokens=8, reasoning_tokens=7, cost=None
    )
    assert asker.progress == [
        Progress("text", "looking"),
        Progress("tool", "command_execution ls"),
        Progress("text", "done"),
    ]


async def test_a_warning_that_calls_itself_an_error_is_none(stage: Stage):
    warning = {"type": "item.completed", "item": {"id": "0", "type": "error", "message": "no metadata"}}
    asker = stage.play([THREAD, warning, message("fine"), DONE], errors="WARNING: proceeding, even though")
    assert (await asker.ask()).value == "fine"
    assert asker.progress[0] == Progress("note", "no metadata")


async def test_odd_lines_and_one_of_megabytes_do_no_harm(stage: Stage):
    long = "x" * 5_000_000
    odd = ["", "notice {", "[1]", '{"type": "item.completed", "item": 3}', '{"type": "error"}']
    answer = await stage.play([*odd, message(long), *odd, {"type": "later"}, DONE]).ask()
    assert answer.value == long


@pytest.mark.parametrize(
    ("lines", "code", "errors", "reason"),
    [
        ([THREAD, message("half")], 0, "", "crashed"),
        ([THREAD, message("half"), DONE], 1, "", "crashed"),
        ([THREAD, message(" "), DONE], 0, "", "bad_output"),
        ([THREAD, DONE], 0, "", "bad_output"),
        ([message("said before"), *failed("oops")], 0, "", "crashed"),
        ([], 1, "WARNING: harmless\nError loading config.toml: wrong", "crashed"),
        (failed("unexpected status 401 Unauthorized: no, url: http://x"), 1, "", "auth"),
        (failed("Missing environment variable: `OWN_KEY`."), 1, "", "auth"),
        (failed("exceeded retry limit, last status: 429 Too Many Requests"), 1, "", "rate_limited"),
        (failed("You've hit your usage limit. Try again in 2 hours."), 1, "", "quota"),
        (failed("Quota exceeded. Check your plan and billing details."), 1, "", "quota"),
        (failed("unexpected status 404 Not Found: no such model"), 1, "", "not_found"),
        (failed("We’re currently experiencing high demand, which may cause"), 1, "", "network"),
        (failed("stream disconnected before completion: error"), 1, "", "network"),
        (failed('{"error": {"message": "the context is too long"}}'), 1, "", "refused"),
        ([{"type": "turn.failed"}], 1, "", "crashed"),
    ],
)
async def test_a_failure_has_its_reason(stage: Stage, lines: Any, code: int, errors: str, reason: str):
    with pytest.raises(StepFailed) as caught:
        await stage.play(lines, code, errors).ask()
    assert (caught.value.reason, caught.value.provider) == (reason, "codex")
    assert "WARNING" not in str(caught.value)


async def test_when_a_limit_is_open_again_is_read_from_the_sentence(stage: Stage):
    said = "You've hit your usage limit. Upgrade, or try again in 1 day 2 hours 5 minutes."
    with pytest.raises(StepFailed) as caught:
        await stage.play(failed(said), 1).ask()
    assert caught.value.retry_after == 86_400 + 2 * 3600 + 5 * 60


async def test_an_old_login_may_be_renewed_once(stage: Stage):
    again = "Reconnecting... {}/5 (unexpected status 401 Unauthorized: no, url: http://x)"
    first, second = ({"type": "error", "message": again.format(number)} for number in (1, 2))
    assert (await stage.play([first, message("fine"), DONE]).ask()).value == "fine"
    with pytest.raises(StepFailed) as caught:
        await stage.play([first, second, message("fine"), DONE]).ask()
    assert caught.value.reason == "auth"


async def test_the_prompt_is_input_and_never_an_argument(stage: Stage):
    await stage.play([message("x"), DONE]).ask("--help $(id)", effort='high"\nx = 1')
    assert stage.input == "--help $(id)"
    assert not any("help" in argument for argument in stage.arguments)
    assert 'model_reasoning_effort="high\\"\\nx = 1"' in stage.arguments


@pytest.mark.parametrize(
    ("access", "sandbox"),
    [("read", "read-only"), ("write", "workspace-write"), ("full", "danger-full-access")],
)
async def test_access_is_its_own_sandbox(stage: Stage, access: str, sandbox: str):
    await stage.play([message("x"), DONE]).ask(access=access)
    assert [a for a in stage.arguments if a.startswith("--sandbox")] == [f"--sandbox={sandbox}"]
    assert 'approval_policy="never"' in stage.arguments


async def test_read_access_turns_servers_of_tools_off_the_projects_too(stage: Stage, settings: Path):
    (settings / "config.toml").write_text('[mcp_servers.mine]\ncommand = "x"\n[mcp_servers."od.d"]\n')
    project = stage.workspace / ".codex"
    project.mkdir()
    (project / "config.toml").write_text('[mcp_servers.theirs]\ncommand = "y"\n')
    await stage.play([message("x"), DONE]).ask()
    off = [argument for argument in stage.arguments if argument.startswith("mcp_servers")]
    assert off == ["mcp_servers.mine.enabled=false", "mcp_servers.theirs.enabled=false"]
    await stage.play([message("x"), DONE]).ask(access="write")
    assert not any(argument.startswith("mcp_servers") for argument in stage.arguments)


async def test_keys_of_the_users_own_services_pass_and_others_do_not(
    stage: Stage, settings: Path, monkeypatch: pytest.MonkeyPatch
):
    (settings / "config.toml").write_text('[model_providers.own]\nenv_key = "OWN_KEY"\n')
    passing = {"OWN_KEY": "k", "CODEX_API_KEY": "c", "CODEX_HOME": str(settings)}
    staying = {"CODEX_SESSION_ID": "outer", "CODEX_SANDBOX_NETWORK_DISABLED": "1", "ANTHROPIC_API_KEY": "x"}
    for name, value in {**passing, **staying}.items():
        monkeypatch.setenv(name, value)
    await stage.play([message("x"), DONE]).ask()
    assert passing.items() <= stage.environment.items()
    assert not staying.keys() & stage.environment.keys()


OWN = 'model_provider = "own"\n[model_providers.own]\nbase_url = "http://127.0.0.1:1"\n'


@pytest.mark.parametrize(
    ("config", "variables", "login", "known"),
    [
        ("", {}, False, False),
        ("", {"CODEX_API_KEY": "k"}, False, True),
        ("", {}, True, True),
        ("not toml [", {}, True, True),
        ('cli_auth_credentials_store = "keyring"', {}, False, None),
        (OWN, {}, False, True),
        (OWN + 'env_key = "OWN_KEY"', {}, True, False),
        (OWN + 'env_key = "OWN_KEY"', {"OWN_KEY": "k"}, False, True),
        (OWN + "requires_openai_auth = true", {}, False, False),
    ],
)
def test_whether_it_is_signed_in(
    settings: Path, config: str, variables: dict[str, str], login: bool, known: bool | None
):
    (settings / "config.toml").write_text(config)
    if login:
        (settings / "auth.json").write_text("{}")
    environment = {**os.environ, **variables}
    assert Codex(environment).sign_in(environment).known is known


def test_a_login_that_cannot_be_looked_up_is_remarked(stage: Stage, settings: Path):
    (settings / "config.toml").write_text('cli_auth_credentials_store = "keyring"')
    (stage.folder / "package.json").write_text(json.dumps({"name": "@openai/codex", "version": "0.169.0"}))
    readiness = stage.play([]).provider.readiness()
    assert (readiness.ready, readiness.version) == (True, "0.169.0")
    assert "codex login" in readiness.remark
