"""The real OpenCode against a model server on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.agents.opencode import build
from engine.step import Answer, Usage
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, Scene
from tests.providers.agents.clis import Asker, left_behind, needs, surroundings
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.real_rig import COMMAND, RealRig
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


class OpenCodeRig(RealRig):
    """Each scene is the first run of its user: where two at once once spoiled each other's database."""

    replies = {
        "a wrong key": (Reply("no such key", status=401), "auth"),
        "a bad request": (Reply("wrong", status=400), "refused"),
        "no such model": (Reply("no such model", status=404), "not_found"),
    }
    tool = Call("bash", {"command": COMMAND, "description": "x"})
    tokens = Tokens(input=7784, cached=3888, output=80, reasoning=7)
    silence = 6

    def asker(self, server: ModelServer, place: Place) -> Asker:
        return opencode(server, place.workspace)

    def check_answer(self, answer: Answer, server: ModelServer) -> None:
        assert answer.usage == Usage(
            input_tokens=7784, cached_tokens=3888, output_tokens=80, reasoning_tokens=7, cost=None
        )
        assert answer.model == MODEL
        (request,) = server.requests
        assert request.body["model"] == "a-model"

    def unready(self, place: Place) -> Scene:
        return self.missing(place, build, "opencode")


class TestOpenCode(ProviderContract):
    rig = OpenCodeRig()


def test_its_version_is_read_off_its_files(tmp_path: Path):
    asker = Asker(build, "opencode", tmp_path, surroundings(ANTHROPIC_API_KEY="k"))
    assert asker.provider.readiness().version == "1.18.33"


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
