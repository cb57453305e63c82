"""The real OpenCode against a model server on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.errors import StepFailed
from engine.providers.agents.opencode import build
from engine.step import Usage
from tests.providers.agents.clis import Asker, left_behind, needs, surroundings
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.wire_formats import Call, Reply, Tokens

pytestmark = [pytest.mark.anyio, needs("opencode")]
MODEL = "own/a-model"


def opencode(server: ModelServer, workspace: Path, **settings: Any) -> Asker:
    """With a service of the user's own, as a gateway or a local model is one."""
    service = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{server.address}/v1", "apiKey": "a-key"},
        "models": {"a-model": {"limit": {"context": 400_000, "output": 8192}}},
    }
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "opencode"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "opencode.json").write_text(json.dumps({"provider": {"own": service}, **settings}))
    # Neither fetches anything from elsewhere then.
    offline = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1"}
    places = {name: value for name, value in os.environ.items() if name.startswith("XDG_")}
    return Asker(build, "opencode", workspace, surroundings(**offline, **places), {"model": MODEL})


async def test_it_is_ready_and_answers_with_usage_to_the_token(tmp_path: Path):
    tokens = Tokens(input=7784, cached=3888, output=80, reasoning=7)
    with ModelServer(Reply("hello there", tokens=tokens)) as server:
        asker = opencode(server, tmp_path)
        answer = await asker.ask()
    assert asker.provider.readiness().ready
    assert asker.provider.readiness().version == "1.18.33"
    assert answer.value == "hello there"
    assert answer.usage == Usage(
        input_tokens=7784, cached_tokens=3888, output_tokens=80, reasoning_tokens=7, cost=None
    )
    assert answer.session_id
    assert answer.model == MODEL
    (request,) = server.requests
    assert request.body["model"] == "a-model"
    assert list(tmp_path.iterdir()) == []


async def test_the_steps_of_a_run_are_added_up(tmp_path: Path):
    (tmp_path / "here.txt").write_text("the-text")
    read = Call("read", {"filePath": str(tmp_path / "here.txt")})
    replies = (Reply("", call=read, tokens=Tokens(100, 40, 20, 5)), Reply("done", tokens=Tokens(50, 0, 7, 0)))
    with ModelServer(*replies) as server:
        asker = opencode(server, tmp_path)
        answer = await asker.ask()
    assert answer.value == "done"
    assert answer.usage == Usage(
        input_tokens=150, cached_tokens=40, output_tokens=27, reasoning_tokens=5, cost=None
    )
    assert any("the-text" in text for text in server.requests[1].texts())
    assert [progress.text for progress in asker.progress] == [f"read {tmp_path}/here.txt", "done"]


async def test_a_schema_is_asked_for_in_the_prompt(tmp_path: Path):
    with ModelServer(Reply('{"n": 5}')) as server:
        answer = await opencode(server, tmp_path).ask(schema={"type": "object"})
    assert answer.value == '{"n": 5}'
    assert any('{"type":"object"}' in text for text in server.requests[0].texts())


@pytest.mark.parametrize("beginning", ["-x 'q' \"d\" é \x1b[0m\r\n$(id)\t", "/help ", "see @secret.txt "])
async def test_a_prompt_of_400_kilobytes_arrives_byte_for_byte(tmp_path: Path, beginning: str):
    (tmp_path / "secret.txt").write_text("the-secret")
    prompt = beginning + "words " * 66_000 + "end"
    with ModelServer() as server:
        await opencode(server, tmp_path).ask(prompt)
    assert prompt in server.requests[0].texts()
    assert not any("the-secret" in text for text in server.requests[0].texts())


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("no such key", status=401), "auth"),
        (Reply("wrong", status=400), "refused"),
        (Reply("no such model", status=404), "not_found"),
        (Reply(""), "bad_output"),
    ],
)
async def test_a_failure_has_its_reason(tmp_path: Path, reply: Reply, reason: str):
    with ModelServer(reply) as server, pytest.raises(StepFailed) as caught:
        await opencode(server, tmp_path).ask()
    assert caught.value.reason == reason
    assert left_behind() == []


async def test_how_long_the_service_asks_to_wait_is_handed_on(tmp_path: Path):
    with ModelServer(Reply("slow down", status=429, retry_after=1)) as server:
        with pytest.raises(StepFailed) as caught:
            await opencode(server, tmp_path).ask()
        assert (caught.value.reason, caught.value.retry_after) == ("rate_limited", 1)


@pytest.mark.parametrize("reply", [Reply("oops", status=500), Reply("it is cut", manner="cut")])
async def test_a_service_that_stays_down_is_given_up_at_the_deadline(tmp_path: Path, reply: Reply):
    with ModelServer(reply) as server, pytest.raises(StepFailed) as caught:
        await opencode(server, tmp_path).ask(timeout=6)
    assert caught.value.reason == "timeout"
    assert left_behind() == []


async def test_a_model_that_says_nothing_is_stalled_and_nothing_is_left(tmp_path: Path):
    with ModelServer(Reply(manner="hang")) as server, pytest.raises(StepFailed) as caught:
        await opencode(server, tmp_path).ask(stall_timeout=6)
    assert caught.value.reason == "stalled"
    assert left_behind() == []


async def test_a_tool_that_is_still_running_ends_with_a_cancelled_step(tmp_path: Path):
    os.mkfifo(tmp_path / "running")
    call = Call("bash", {"command": "echo > running; exec tail -f /dev/null", "description": "x"})
    with ModelServer(Reply("", call=call)) as server:
        asker = opencode(server, tmp_path)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: asker.ask(access="full"))
            await anyio.to_thread.run_sync((tmp_path / "running").read_text)
            assert len(left_behind()) >= 2
            tasks.cancel_scope.cancel()
    assert left_behind() == []


async def test_two_at_once_do_not_disturb_each_other_even_where_it_never_ran(tmp_path: Path):
    answers: list[Any] = []
    with ModelServer(Reply("same")) as server:
        asker = opencode(server, tmp_path)

        async def ask() -> None:
            answers.append(await asker.ask())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
    assert [answer.value for answer in answers] == ["same", "same"]
    assert len({answer.session_id for answer in answers}) == 2


def calls(*tools: Call) -> list[Reply]:
    """The model uses these tools one after the other, then it is done."""
    return [*(Reply("", call=tool) for tool in tools), Reply("done")]


def write(path: Path) -> Call:
    return Call("write", {"filePath": str(path), "content": "x"})


SHELL = Call("bash", {"command": "touch shell.txt", "description": "x"})
ALL = {"*": "allow"}


async def test_read_access_changes_nothing_whatever_the_settings_allow(tmp_path: Path):
    here = tmp_path / "here.txt"
    here.write_text("old")
    edit = Call("edit", {"filePath": str(here), "oldString": "old", "newString": "new"})
    web = Call("webfetch", {"url": "http://127.0.0.1:9/", "format": "text"})
    allowed = {"permission": ALL, "agent": {"build": {"permission": ALL}}, "tools": {"bash": True}}
    with ModelServer(*calls(edit, write(tmp_path / "new.txt"), SHELL, web)) as server:
        answer = await opencode(server, tmp_path, **allowed).ask()
    assert (answer.value, len(server.requests)) == ("done", 5)
    assert [path.name for path in tmp_path.iterdir()] == ["here.txt"]
    assert here.read_text() == "old"
    tools = {tool["function"]["name"] for tool in server.requests[0].body["tools"]}
    assert tools == {"glob", "grep", "read"}


async def test_write_access_changes_files_of_the_workspace_and_no_others(tmp_path: Path):
    workspace, outside = tmp_path / "inside", tmp_path / "outside.txt"
    workspace.mkdir()
    with ModelServer(*calls(write(workspace / "new.txt"), write(outside), SHELL)) as server:
        await opencode(server, workspace, permission=ALL).ask(access="write")
    assert [path.name for path in workspace.iterdir()] == ["new.txt"]
    assert not outside.exists()


async def test_full_access_runs_commands(tmp_path: Path):
    with ModelServer(*calls(SHELL)) as server:
        await opencode(server, tmp_path).ask(access="full")
    assert (tmp_path / "shell.txt").exists()


async def test_what_a_project_brings_along_is_not_run(tmp_path: Path):
    canary = tmp_path / "canary"
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    brought = {
        "mcp": {"bad": {"type": "local", "command": ["touch", str(canary)]}},
        "permission": ALL,
        "agent": {"build": {"permission": ALL}},
    }
    (tmp_path / "opencode.json").write_text(json.dumps(brought))
    (tmp_path / ".opencode" / "tool").mkdir(parents=True)
    tool = f"require('fs').writeFileSync('{canary}', ''); export default {{description: 'x', args: {{}}}}"
    (tmp_path / ".opencode" / "tool" / "bad.ts").write_text(tool)
    with ModelServer() as server:
        for access in ("read", "full"):
            await opencode(server, tmp_path).ask(access=access)
    assert not canary.exists()


async def test_where_it_would_run_a_projects_plugins_it_is_asked_with_full_access_only(tmp_path: Path):
    canary = tmp_path / "canary"
    folder = tmp_path / ".opencode" / "plugin"
    folder.mkdir(parents=True)
    (folder / "bad.js").write_text(f"import {{writeFileSync}} from 'fs'; writeFileSync('{canary}', '')")
    with ModelServer() as server:
        asker = opencode(server, tmp_path)
        for access in ("read", "write"):
            with pytest.raises(StepFailed, match="the project's own plugins") as caught:
                await asker.ask(access=access)
            assert caught.value.reason == "unsupported"
    assert not canary.exists()
    assert server.requests == []
