"""The real Claude Code against a model server on loopback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.errors import StepFailed
from engine.providers.agents.claude import build
from engine.step import Answer, Usage
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, Scene
from tests.providers.agents.clis import Asker, needs, surroundings
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.real_rig import COMMAND, RealRig
from tests.providers.agents.wire_formats import Call, Reply, Tokens

pytestmark = [pytest.mark.anyio, needs("claude")]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def claude(server: ModelServer, workspace: Path, **variables: str) -> Asker:
    key = {"ANTHROPIC_BASE_URL": server.address, "ANTHROPIC_API_KEY": "a-key", "CLAUDE_CODE_MAX_RETRIES": "1"}
    return Asker(build, "claude", workspace, surroundings(**{**key, **variables}))


class ClaudeRig(RealRig):
    replies = {
        "a wrong key": (Reply("no such key", status=401), "auth"),
        "too many requests": (Reply("slow down", status=429), "rate_limited"),
        "a server error": (Reply("oops", status=500), "network"),
        "no such model": (Reply("no such model", status=404), "not_found"),
        "no credit": (
            Reply("Your credit balance is too low to access the API.", status=400),
            "quota",
        ),
        "a cut stream": (Reply("it is cut", manner="cut"), "network"),
    }
    tool = Call("Bash", {"command": COMMAND})
    quick = True
    tokens = Tokens(input=6343, cached=6000, output=42)
    asked = {"model": "sonnet"}

    def asker(self, server: ModelServer, place: Place) -> Asker:
        return claude(server, place.workspace, IS_SANDBOX="1")

    def check_answer(self, answer: Answer, server: ModelServer) -> None:
        assert answer.usage.input_tokens == 6343
        assert (answer.usage.cached_tokens, answer.usage.output_tokens) == (6000, 42)
        assert answer.usage.cost is not None
        (request,) = server.requests
        assert answer.model == request.body["model"]
        assert request.headers["x-api-key"] == "a-key"

    def unready(self, place: Place) -> Scene:
        return self.signed_out(place, build, "claude")


class TestClaude(ProviderContract):
    rig = ClaudeRig()


async def test_a_schema_is_its_own_option_where_it_takes_it(tmp_path: Path):
    with ModelServer(Reply("", call=Call("StructuredOutput", {"n": 5}))) as server:
        answer = await claude(server, tmp_path).ask(schema=SCHEMA)
    assert answer.value == {"n": 5}
    assert not any("JSON Schema:" in text for text in server.requests[0].texts())


async def test_a_schema_that_is_no_object_is_asked_for_in_the_prompt(tmp_path: Path):
    with ModelServer(Reply("[1, 2]")) as server:
        answer = await claude(server, tmp_path).ask(schema={"type": "array"})
    assert answer.value == "[1, 2]"
    assert any('{"type":"array"}' in text for text in server.requests[0].texts())


async def test_a_prompt_of_400_kilobytes_arrives_byte_for_byte(tmp_path: Path):
    prompt = "-x 'quotes' \"double\" é \x1b[0m\r\n$(id)\t" + "words " * 66_000 + "end  \n"
    with ModelServer() as server:
        await claude(server, tmp_path).ask(prompt)
    assert prompt in server.requests[0].texts()


@pytest.mark.parametrize("prompt", ["/clear", "/help me", "see @secret.txt", "!touch canary"])
async def test_nothing_in_a_prompt_is_a_command_or_a_file(tmp_path: Path, prompt: str):
    (tmp_path / "secret.txt").write_text("the-secret")
    with ModelServer() as server:
        await claude(server, tmp_path).ask(prompt)
    assert any(text.removeprefix("\n") == prompt for text in server.requests[0].texts())
    assert not any("the-secret" in text for text in server.requests[0].texts())
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


async def test_a_login_that_is_refused_twice_is_not_tried_ten_times(tmp_path: Path):
    with ModelServer(Reply("no such key", status=401)) as server:
        with pytest.raises(StepFailed) as caught:
            await claude(server, tmp_path, CLAUDE_CODE_MAX_RETRIES="10").ask()
        assert len(server.requests) <= 3
    assert caught.value.reason == "auth"


async def test_how_long_the_service_asks_to_wait_is_handed_on(tmp_path: Path):
    with ModelServer(Reply("slow down", status=429, retry_after=1)) as server:
        asker = claude(server, tmp_path)
        with pytest.raises(StepFailed) as caught:
            await asker.ask()
    assert caught.value.reason == "rate_limited"
    assert 1 <= (caught.value.retry_after or 0) < 2
    assert any("the service said 429" in progress.text for progress in asker.progress)


WRITES = (
    Reply("", call=Call("Write", {"file_path": "new.txt", "content": "x"})),
    Reply("", call=Call("Edit", {"file_path": "here.txt", "old_string": "old", "new_string": "new"})),
    Reply("", call=Call("Bash", {"command": "touch shell.txt"})),
    Reply("done", call=None),
)


async def test_read_access_changes_nothing_whatever_the_settings_allow(tmp_path: Path):
    (tmp_path / "here.txt").write_text("old")
    allowed = {"permissions": {"allow": ["Bash", "Write", "Edit"], "defaultMode": "bypassPermissions"}}
    home = Path(os.environ["HOME"]) / ".claude"
    home.mkdir()
    (home / "settings.json").write_text(json.dumps(allowed))
    with ModelServer(*WRITES) as server:
        answer = await claude(server, tmp_path, IS_SANDBOX="1").ask()
    assert (answer.value, len(server.requests)) == ("done", 4)
    assert [path.name for path in tmp_path.iterdir()] == ["here.txt"]
    assert (tmp_path / "here.txt").read_text() == "old"
    tools = {tool["name"] for tool in server.requests[0].body["tools"]}
    assert not tools & {"Bash", "Write", "Edit", "WebFetch", "Agent"}


async def test_write_access_changes_files_of_the_workspace_and_no_others(tmp_path: Path):
    workspace, outside = tmp_path / "inside", tmp_path / "outside.txt"
    workspace.mkdir()
    call = Call("Write", {"file_path": str(outside), "content": "x"})
    with ModelServer(WRITES[0], Reply("", call=call), Reply("done")) as server:
        asker = claude(server, workspace)
        await asker.ask(access="write")
    assert [progress.what for progress in asker.progress] == ["tool", "tool", "note", "text"]
    assert (workspace / "new.txt").read_text() == "x"
    assert not outside.exists()


async def test_what_a_project_brings_along_is_not_run(tmp_path: Path):
    hook = {"type": "command", "command": f"touch {tmp_path}/canary"}
    hooks = {"hooks": {"SessionStart": [{"hooks": [hook]}], "UserPromptSubmit": [{"hooks": [hook]}]}}
    server_of_tools = {"mcpServers": {"bad": {"command": "touch", "args": [f"{tmp_path}/canary"]}}}
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text(json.dumps(hooks))
    (tmp_path / ".mcp.json").write_text(json.dumps(server_of_tools))
    with ModelServer() as server:
        await claude(server, tmp_path).ask(access="write")
    assert not (tmp_path / "canary").exists()


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root is refused")
async def test_root_is_told_why_full_access_is_refused(tmp_path: Path):
    with ModelServer() as server, pytest.raises(StepFailed, match="full access from root") as caught:
        await claude(server, tmp_path).ask(access="full")
    assert caught.value.reason == "unsupported"


async def test_an_unknown_cost_or_reasoning_is_not_made_up(tmp_path: Path):
    with ModelServer(Reply("x", tokens=Tokens(input=10, cached=0, output=3, reasoning=0))) as server:
        answer = await claude(server, tmp_path).ask()
    assert answer.usage == Usage(
        input_tokens=10, cached_tokens=0, output_tokens=3, reasoning_tokens=0, cost=answer.usage.cost
    )
