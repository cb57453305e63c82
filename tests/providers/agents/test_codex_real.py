"""The real Codex against a model server on loopback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.errors import StepFailed
from engine.providers.agents.codex import build
from engine.step import Usage
from tests.providers.agents.clis import Asker, left_behind, needs, surroundings
from tests.providers.agents.model_server import ModelServer
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


async def test_it_is_ready_and_answers_with_usage_to_the_token(tmp_path: Path):
    tokens = Tokens(input=10118, cached=5059, output=80, reasoning=7)
    with ModelServer(Reply("hello there", tokens=tokens)) as server:
        asker = codex(server, tmp_path)
        answer = await asker.ask(effort="high")
    assert asker.provider.readiness().ready
    assert answer.value == "hello there"
    assert answer.usage == Usage(
        input_tokens=10118, cached_tokens=5059, output_tokens=80, reasoning_tokens=7, cost=None
    )
    assert answer.session_id
    assert answer.model == MODEL
    (request,) = server.requests
    assert request.body["model"] == MODEL
    assert request.body["reasoning"]["effort"] == "high"
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("no such key", status=401), "auth"),
        (Reply("slow down", status=429), "rate_limited"),
        (Reply("slow down", status=429, retry_after=1), "rate_limited"),
        (Reply("oops", status=500), "network"),
        (Reply("wrong", status=400), "refused"),
        (Reply("no such model", status=404), "not_found"),
        (Reply("it is cut", manner="cut"), "network"),
        (Reply(""), "bad_output"),
    ],
)
async def test_a_failure_has_its_reason(tmp_path: Path, reply: Reply, reason: str):
    with ModelServer(reply) as server, pytest.raises(StepFailed) as caught:
        await codex(server, tmp_path).ask()
    assert caught.value.reason == reason
    assert left_behind() == []


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


async def test_a_model_that_says_nothing_is_stalled_and_nothing_is_left(tmp_path: Path):
    with ModelServer(Reply(manner="hang")) as server, pytest.raises(StepFailed) as caught:
        await codex(server, tmp_path).ask(stall_timeout=1.5)
    assert caught.value.reason == "stalled"
    assert len(server.requests) == 1
    assert left_behind() == []


async def test_a_tool_that_is_still_running_ends_with_a_cancelled_step(tmp_path: Path):
    os.mkfifo(tmp_path / "running")
    call = Call("exec_command", {"cmd": "echo > running; exec tail -f /dev/null"})
    with ModelServer(Reply("", call=call)) as server:
        asker = codex(server, tmp_path)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: asker.ask(access="full"))
            await anyio.to_thread.run_sync((tmp_path / "running").read_text)
            assert len(left_behind()) >= 2
            tasks.cancel_scope.cancel()
    assert left_behind() == []


async def test_two_at_once_do_not_disturb_each_other(tmp_path: Path):
    answers: list[Any] = []
    with ModelServer(Reply("same")) as server:
        asker = codex(server, tmp_path)

        async def ask() -> None:
            answers.append(await asker.ask())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
    assert [answer.value for answer in answers] == ["same", "same"]
    assert len({answer.session_id for answer in answers}) == 2


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
