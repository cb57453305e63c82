"""The real Gemini CLI against a model server on loopback."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.agents.gemini import build
from engine.step import Answer, Usage
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, Scene
from tests.providers.agents.clis import Asker, needs, surroundings
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.real_rig import COMMAND, RealRig
from tests.providers.agents.wire_formats import Call, Reply, Tokens

pytestmark = [pytest.mark.anyio, needs("gemini")]
MODEL = "gemini-2.5-pro"


def settings(**further: Any) -> Path:
    """Write the user's settings: a key, and one attempt where it would otherwise make ten."""
    folder = Path(os.environ["HOME"]) / ".gemini"
    folder.mkdir(exist_ok=True)
    known = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "general": {"maxAttempts": 1}}
    (folder / "settings.json").write_text(json.dumps({**known, **further}))
    return folder


def gemini(server: ModelServer, workspace: Path, **options: Any) -> Asker:
    if not (Path(os.environ["HOME"]) / ".gemini").exists():
        settings()
    environment = surroundings(GEMINI_API_KEY="a-key", GOOGLE_GEMINI_BASE_URL=server.address)
    return Asker(build, "gemini", workspace, environment, {"model": MODEL, **options})


class GeminiRig(RealRig):
    replies = {
        "a wrong key": (Reply("no such key", status=401), "auth"),
        "too many requests": (Reply("slow down", status=429), "rate_limited"),
        "a server error": (Reply("oops", status=500), "network"),
        "a bad request": (Reply("wrong", status=400), "refused"),
        "no such model": (Reply("no such model", status=404), "not_found"),
        "no quota": (
            Reply("You exceeded your current quota. Please retry in 34.5s.", status=429),
            "quota",
        ),
        "a cut stream": (Reply("a longer answer", manner="cut"), "network"),
    }
    tool = Call("run_shell_command", {"command": COMMAND})
    tokens = Tokens(input=10122, cached=5061, output=80, reasoning=7)
    told_at_work = ("tool",)
    silence = 4

    def asker(self, server: ModelServer, place: Place) -> Asker:
        return gemini(server, place.workspace)

    def check_answer(self, answer: Answer, server: ModelServer) -> None:
        assert answer.usage == Usage(
            input_tokens=10122, cached_tokens=5061, output_tokens=80, reasoning_tokens=7, cost=None
        )
        assert answer.model == MODEL
        (request,) = server.requests
        assert f"/{MODEL}:" in request.path

    def check_failure(self, name: str, failure: StepFailed) -> None:
        assert failure.retry_after == (34.5 if name == "no quota" else None)

    def unready(self, place: Place) -> Scene:
        return self.signed_out(place, build, "gemini")


class TestGemini(ProviderContract):
    rig = GeminiRig()


def test_its_version_is_read_off_its_files(tmp_path: Path):
    assert (
        Asker(build, "gemini", tmp_path, surroundings(GEMINI_API_KEY="k")).provider.readiness().version
        == "0.61.0"
    )


async def test_a_schema_is_asked_for_in_the_prompt(tmp_path: Path):
    with ModelServer(Reply('{"n": 5}')) as server:
        answer = await gemini(server, tmp_path).ask(schema={"type": "object"})
    assert answer.value == '{"n": 5}'
    assert any('{"type":"object"}' in text for text in server.requests[0].texts())


async def test_a_prompt_of_400_kilobytes_arrives_byte_for_byte(tmp_path: Path):
    prompt = "-x 'quotes' \"double\" é \x1b[0m\r\n$(id)\t" + "words " * 66_000 + "end"
    with ModelServer() as server:
        await gemini(server, tmp_path).ask(prompt)
    assert prompt in server.requests[0].texts()


@pytest.mark.parametrize("prompt", ["/help me", "/clear", "!touch canary", "?"])
async def test_a_prompt_is_no_command(tmp_path: Path, prompt: str):
    with ModelServer() as server:
        assert (await gemini(server, tmp_path).ask(prompt)).value == "fine"
    assert any(text.removeprefix("\n") == prompt for text in server.requests[0].texts())
    assert list(tmp_path.iterdir()) == []


async def test_files_that_a_prompt_mentions_are_added_behind_its_text(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("the-notes")
    with ModelServer() as server:
        await gemini(server, tmp_path).ask("see @notes.txt")
        await gemini(server, tmp_path).ask("@nothing here, me@example.com\n@dataclass\n")
    with_file, without = (request.texts() for request in server.requests)
    assert "see @notes.txt" in with_file
    assert "the-notes" in with_file
    assert "@nothing here, me@example.com\n@dataclass\n" in without


def calls(*tools: Call) -> list[Reply]:
    """The model uses these tools one after the other, then it is done."""
    return [*(Reply("", call=tool) for tool in tools), Reply("done")]


WRITE = Call("write_file", {"file_path": "new.txt", "content": "x"})
EDIT = Call(
    "replace", {"file_path": "here.txt", "old_string": "old", "new_string": "new", "instruction": "x"}
)
SHELL = Call("run_shell_command", {"command": "touch shell.txt"})
# Without a terminal the program lets the model leave plan mode by itself, and allows it everything from then on.
PLANS = (Call("enter_plan_mode", {"reason": "x"}), Call("exit_plan_mode", {"plan_filename": "plan.md"}))


async def test_read_access_changes_nothing_whatever_the_settings_allow(tmp_path: Path):
    (tmp_path / "here.txt").write_text("old")
    folder = settings(tools={"allowed": ["run_shell_command", "write_file", "replace"]})
    (folder / "policies").mkdir()
    rule = '[[rule]]\ntoolName = ["run_shell_command", "write_file"]\ndecision = "allow"\npriority = 999\n'
    (folder / "policies" / "mine.toml").write_text(rule)
    with ModelServer(*calls(WRITE, EDIT, SHELL, *PLANS, SHELL, WRITE)) as server:
        answer = await gemini(server, tmp_path).ask()
    assert (answer.value, len(server.requests)) == ("done", 8)
    assert [path.name for path in tmp_path.iterdir()] == ["here.txt"]
    assert (tmp_path / "here.txt").read_text() == "old"
    (tools,) = server.requests[0].body["tools"]
    assert {tool["name"] for tool in tools["functionDeclarations"]} == {
        "glob", "google_web_search", "grep_search", "list_directory", "read_file", "update_topic",
    }  # fmt: skip


async def test_read_access_reads_what_the_users_own_rules_leave(tmp_path: Path):
    for name in ("open.txt", "closed.txt"):
        (tmp_path / name).write_text(f"the-{name}")
    folder = settings()
    (folder / "policies").mkdir()
    rule = '[[rule]]\ntoolName = "read_file"\nargsPattern = "closed"\ndecision = "deny"\npriority = 100\n'
    (folder / "policies" / "mine.toml").write_text(rule)
    read = [Call("read_file", {"file_path": name}) for name in ("open.txt", "closed.txt")]
    with ModelServer(*calls(*read)) as server:
        await gemini(server, tmp_path).ask()
    texts = "".join(server.requests[-1].texts())
    assert "the-open.txt" in texts
    assert "the-closed.txt" not in texts


async def test_write_access_changes_files_of_the_workspace_and_no_others(tmp_path: Path):
    workspace, outside = tmp_path / "inside", tmp_path / "outside.txt"
    workspace.mkdir()
    (workspace / "here.txt").write_text("old")
    elsewhere = Call("write_file", {"file_path": str(outside), "content": "x"})
    with ModelServer(*calls(WRITE, elsewhere, *PLANS, SHELL)) as server:
        await gemini(server, workspace).ask(access="write")
    assert (workspace / "new.txt").read_text() == "x"
    assert sorted(path.name for path in workspace.iterdir()) == ["here.txt", "new.txt"]
    assert not outside.exists()


async def test_what_a_project_brings_along_is_not_run(tmp_path: Path):
    canary = tmp_path / "canary"
    hook = {"type": "command", "name": "bad", "command": f"touch {canary}"}
    brought = {
        "mcpServers": {"bad": {"command": "touch", "args": [str(canary)], "trust": True}},
        "tools": {"discoveryCommand": f"touch {canary}"},
        "hooks": {name: [{"matcher": "*", "hooks": [hook]}] for name in ("SessionStart", "BeforeAgent")},
    }
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text(json.dumps(brought))
    (tmp_path / ".env").write_text("GEMINI_MODEL=another\n")
    with ModelServer() as server:
        for access in ("read", "write", "full"):
            await gemini(server, tmp_path).ask(access=access)
    assert not canary.exists()
    assert all(MODEL in request.path for request in server.requests)
