"""The real Codex against a model server on loopback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.agents.codex import build
from engine.step import Answer, Usage
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, Scene
from tests.providers.agents.clis import Asker, needs, surroundings
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.real_rig import COMMAND, RealRig
from tests.providers.agents.wire_formats import Call, Reply, Tokens

pytestmark = [pytest.mark.anyio, needs("codex")]
MODEL = "a-model"
"""One that it does not know gets its plain tools."""
STRICT = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


def codex(server: ModelServer, workspace: Path, *settings: str, retries: int = 0, **options: Any) -> Asker:
    """With a service of the user's own, as a gateway or a local model is one."""
    home = Path(os.environ["HOME"]) / ".codex"
    home.mkdir(exist_ok=True)
    lines = [
        'model_provider = "own"',
        *settings,
        "[model_providers.own]",
        'name = "own"',
        f'base_url = "{server.address}/v1"',
        'env_key = "OWN_KEY"',
        'wire_api = "responses"',
        f"request_max_retries = {retries}",
        f"stream_max_retries = {retries}",
    ]
    (home / "config.toml").write_text("\n".join(lines))
    return Asker(build, "codex", workspace, surroundings(OWN_KEY="a-key"), {"model": MODEL, **options})


class CodexRig(RealRig):
    replies = {
        "a wrong key": (Reply("no such key", status=401), "auth"),
        "too many requests": (Reply("slow down", status=429), "rate_limited"),
        "too many requests, and when to come again": (
            Reply("slow down", status=429, retry_after=1),
            "rate_limited",
        ),
        "a server error": (Reply("oops", status=500), "network"),
        "a bad request": (Reply("wrong", status=400), "refused"),
        "no such model": (Reply("no such model", status=404), "not_found"),
        "a cut stream": (Reply("it is cut", manner="cut"), "network"),
    }
    tool = Call("exec_command", {"cmd": COMMAND})
    quick = True
    tokens = Tokens(input=10118, cached=5059, output=80, reasoning=7)
    asked = {"effort": "high"}

    def asker(self, server: ModelServer, place: Place) -> Asker:
        return codex(server, place.workspace)

    def check_answer(self, answer: Answer, server: ModelServer) -> None:
        assert answer.usage == Usage(
            input_tokens=10118, cached_tokens=5059, output_tokens=80, reasoning_tokens=7, cost=None
        )
        assert answer.model == MODEL
        (request,) = server.requests
        assert request.body["model"] == MODEL
        assert request.body["reasoning"]["effort"] == "high"

    def unready(self, place: Place) -> Scene:
        return self.missing(place, build, "codex")


class TestCodex(ProviderContract):
    rig = CodexRig()


async def test_a_schema_goes_to_the_service_only_if_it_takes_that(tmp_path: Path):
    loose = {"type": "object", "properties": {"n": {"type": "integer"}}}
    with ModelServer(Reply('{"n": 5}')) as server:
        asker = codex(server, tmp_path)
        assert (await asker.ask(schema=STRICT)).value == '{"n": 5}'
        assert (await asker.ask(schema=loose)).value == '{"n": 5}'
    by_option, by_prompt = server.requests
    assert by_option.body["text"]["format"]["schema"] == STRICT
    assert "format" not in by_prompt.body.get("text", {})
    for request in server.requests:
        assert any("valid against this JSON Schema" in text for text in request.texts())


@pytest.mark.parametrize("beginning", ["-x 'q' \"d\" é \x1b[0m\r\n$(id)\t", "/clear ", "see @secret.txt "])
async def test_a_prompt_of_400_kilobytes_arrives_byte_for_byte(tmp_path: Path, beginning: str):
    (tmp_path / "secret.txt").write_text("the-secret")
    prompt = beginning + "words " * 66_000 + "end  \n"
    with ModelServer() as server:
        await codex(server, tmp_path).ask(prompt)
    assert prompt in server.requests[0].texts()
    assert not any("the-secret" in text for text in server.requests[0].texts())


async def test_a_service_that_is_not_there_is_given_up(tmp_path: Path):
    with ModelServer() as server:
        asker = codex(server, tmp_path)
    with pytest.raises(StepFailed) as caught:
        await asker.ask()
    assert caught.value.reason == "network"


async def test_a_login_that_is_refused_twice_is_not_tried_five_times(tmp_path: Path):
    with ModelServer(Reply("no such key", status=401)) as server:
        with pytest.raises(StepFailed) as caught:
            await codex(server, tmp_path, retries=5).ask()
        assert len(server.requests) <= 3
    assert caught.value.reason == "auth"
    assert "no such key" in str(caught.value)


@pytest.mark.parametrize(("access", "written"), [("read", False), ("write", True)])
async def test_only_write_access_changes_files_and_only_inside(tmp_path: Path, access: str, written: bool):
    workspace, outside = tmp_path / "inside", Path(os.environ["HOME"]) / "outside.txt"
    workspace.mkdir()
    call = Call("exec_command", {"cmd": f"touch new.txt; touch {outside}"})
    with ModelServer(Reply("", call=call), Reply("done")) as server:
        asker = codex(server, workspace, 'sandbox_mode = "danger-full-access"')
        answer = await asker.ask(access=access)
    assert answer.value == "done"
    assert (workspace / "new.txt").exists() == written
    refused = any("Read-only file system" in text for text in server.requests[1].texts())
    assert refused is not written
    if access == "read":  # with `write`, the system's temporary folder is open too, where this test may live
        assert not outside.exists()


async def test_read_access_starts_no_servers_of_tools(tmp_path: Path):
    canary = Path(os.environ["HOME"]) / "canary"
    tools = f'mcp_servers.mine = {{ command = "touch", args = ["{canary}"] }}'
    with ModelServer() as server:
        await codex(server, tmp_path, tools).ask()
        assert not canary.exists()
        await codex(server, tmp_path, tools).ask(access="full")
        assert canary.exists()


async def test_arguments_of_the_user_come_before_ours(tmp_path: Path):
    with ModelServer() as server:
        given = ["-c", 'model_providers.own.http_headers={"X-Mine"="yes"}']
        await codex(server, tmp_path, arguments=given).ask()
    assert server.requests[0].headers["x-mine"] == "yes"
