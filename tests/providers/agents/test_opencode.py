"""OpenCode by recorded lines: what it may say, and what mco makes of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.agents.opencode import OpenCode, build
from engine.providers.base import Progress
from engine.step import Usage
from tests.providers.agents.stage import Stage

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, build, "opencode")


def part(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "sessionID": "ses_1", "part": fields}


def said(text: str) -> dict[str, Any]:
    return part("text", type="text", text=text)


def finished(reason: str, cost: float = 0, **tokens: Any) -> dict[str, Any]:
    return part("step_finish", reason=reason, cost=cost, tokens=tokens)


def failed(name: str, **data: Any) -> dict[str, Any]:
    return {"type": "error", "sessionID": "ses_1", "error": {"name": name, "data": data}}


TOOL = part("tool_use", tool="read", state={"status": "completed", "input": {"filePath": "a.txt"}})
STOP = finished("stop", input=3889, output=1, reasoning=7, cache={"write": 5, "read": 3888})


async def test_what_it_said_after_its_last_tool_is_the_answer(stage: Stage):
    lines = [
        part("step_start"),
        said("looking"),
        TOOL,
        finished("tool-calls"),
        said("it is"),
        said("done"),
        STOP,
    ]
    asker = stage.play(lines)
    answer = await asker.ask(model="own/a-model")
    assert (answer.value, answer.session_id, answer.model) == ("it is\ndone", "ses_1", "own/a-model")
    assert asker.progress == [
        Progress("text", "looking"),
        Progress("tool", "read a.txt"),
        Progress("text", "it is"),
        Progress("text", "done"),
    ]


async def test_tokens_and_cost_are_summed_over_the_steps(stage: Stage):
    first = finished("tool-calls", 0.25, input=10, output=2, reasoning=0, cache={"write": 0, "read": 30})
    answer = await stage.play([TOOL, first, said("x"), {**STOP, "part": {**STOP["part"], "cost": 0.5}}]).ask()
    assert answer.usage == Usage(
        input_tokens=40 + 3889 + 3888 + 5,
        cached_tokens=30 + 3888,
        output_tokens=2 + 8,
        reasoning_tokens=7,
        cost=0.75,
    )


async def test_a_price_that_it_does_not_know_is_no_cost_of_nothing(stage: Stage):
    assert (await stage.play([said("x"), STOP]).ask()).usage.cost is None


async def test_what_nobody_measured_stays_unknown(stage: Stage):
    cases: tuple[dict[str, Any], ...] = ({}, {"input": "many", "output": -1, "cache": [1]})
    for tokens in cases:
        answer = await stage.play([said("x"), finished("stop", **tokens)]).ask()
        assert answer.usage == Usage()


LIMITED = failed("APIError", message="slow down", statusCode=429, responseHeaders={"retry-after": "7"})


@pytest.mark.parametrize(
    ("lines", "code", "errors", "reason", "words"),
    [
        ([failed("APIError", message="no such key", statusCode=401)], 1, "", "auth", "no such key"),
        ([failed("ProviderAuthError", message="no login")], 1, "", "auth", "no login"),
        ([LIMITED], 1, "", "rate_limited", "slow down"),
        ([failed("APIError", message="insufficient_quota", statusCode=429)], 1, "", "quota", "quota"),
        ([failed("APIError", message="oops", statusCode=500)], 1, "", "network", "oops"),
        ([failed("APIError", message="wrong", statusCode=400)], 1, "", "refused", "wrong"),
        ([failed("APIError", message="no such model", statusCode=404)], 1, "", "not_found", "no such model"),
        ([failed("UnknownError", message="The operation timed out.")], 1, "", "network", "timed out"),
        ([failed("UnknownError", message="Unexpected server error")], 1, "", "crashed", "Unexpected"),
        ([said("x"), STOP, failed("APIError", message="late")], 0, "", "crashed", "late"),
        ([{"type": "error", "error": "odd"}], 1, "", "crashed", "failed"),
        ([], 1, "Failed query: CREATE TABLE workspace", "crashed", "CREATE TABLE"),
        ([], 0, "", "crashed", "without an answer"),
        ([said("half of it")], 0, "", "crashed", "without an answer"),
        ([said("all of it"), STOP], 1, "boom", "crashed", "boom"),
        ([STOP], 0, "", "bad_output", "answered nothing"),
        ([TOOL, finished("tool-calls")], 0, "", "bad_output", "answered nothing"),
        ([said("cut"), finished("length")], 0, "", "bad_output", "longer than"),
        ([said("no"), finished("content-filter")], 0, "", "refused", "declined"),
        ([finished("unknown")] * 5, 0, "", "bad_output", "cannot be read"),
    ],
)
async def test_a_failure_has_its_reason(
    stage: Stage, *, lines: list[Any], code: int, errors: str, reason: str, words: str
):
    with pytest.raises(StepFailed) as caught:
        await stage.play(lines, code, errors).ask()
    assert caught.value.reason == reason
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7), ("soon", None), ("-1", None), (7, None), ("9" * 400, None)]
)
async def test_how_long_the_service_asks_to_wait_is_handed_on(stage: Stage, header: Any, wait: float | None):
    error = failed("APIError", message="slow", statusCode=429, responseHeaders={"retry-after": header})
    with pytest.raises(StepFailed) as caught:
        await stage.play([error], 1).ask()
    assert caught.value.retry_after == wait


async def test_lines_that_mean_nothing_are_passed_over(stage: Stage):
    odd = [
        "notice",
        "",
        "[1, 2]",
        "{broken",
        {"type": 7},
        {"type": "new"},
        {"type": "step_finish", "part": 1},
    ]
    odd += [{"type": "tool_use"}]
    assert (await stage.play([*odd, said("fine"), *odd[:-1], STOP]).ask()).value == "fine"


async def test_a_line_may_have_megabytes(stage: Stage):
    assert (await stage.play([said("x" * 3_000_000), STOP]).ask()).value == "x" * 3_000_000


@pytest.mark.parametrize("access", ["read", "write", "full"])
async def test_how_it_is_started(stage: Stage, access: str, monkeypatch: pytest.MonkeyPatch):
    mine = {"agent": {"mine": {"mode": "primary"}}, "share": "auto", "username": "me"}
    monkeypatch.setenv("OPENCODE_CONFIG_CONTENT", json.dumps(mine))
    await stage.play([said("x"), STOP]).ask("/help", access=access, model="own/m", effort="high")
    assert stage.input == "/help"
    run, *options = stage.arguments
    assert (run, options[0]) == ("run", "--format=json")
    assert {"--title=mco", "--model=own/m", "--variant=high"} <= set(options)
    config = json.loads(stage.environment["OPENCODE_CONFIG_CONTENT"])
    name = next(word for word in options if word.startswith("--agent=")).removeprefix("--agent=")
    assert set(config["agent"]) == {"mine", name}
    assert (config["username"], config["share"], config["snapshot"]) == ("me", "disabled", False)
    rules = config["agent"][name]["permission"]
    assert next(iter(rules)) == "*", "of the rules that fit, the last decides"
    assert rules["*"] == ("allow" if access == "full" else "deny")
    assert rules.get("edit") == ("allow" if access == "write" else None)
    assert stage.environment["OPENCODE_DISABLE_PROJECT_CONFIG"] == "1"


async def test_two_runs_are_different_agents(stage: Stage):
    asker = stage.play([said("x"), STOP])
    names: list[str] = []
    for _ in range(2):
        await asker.ask()
        names += [word for word in stage.arguments if word.startswith("--agent=")]
    assert len(set(names)) == 2


async def test_a_setting_that_it_could_not_add_to_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    for content in ("{broken", "[]"):
        monkeypatch.setenv("OPENCODE_CONFIG_CONTENT", content)
        with pytest.raises(StepFailed, match="OPENCODE_CONFIG_CONTENT") as caught:
            await stage.play([said("x"), STOP]).ask()
        assert caught.value.reason == "unsupported"


async def test_a_first_run_makes_a_database_of_its_own(stage: Stage):
    data = Path(os.environ["XDG_DATA_HOME"]) / "opencode"
    await stage.play([said("x"), STOP]).ask()
    assert "mco-" in stage.environment["OPENCODE_DB"]
    data.mkdir(parents=True)
    (data / "opencode.db").write_text("")
    await stage.play([said("x"), STOP]).ask()
    assert "OPENCODE_DB" not in stage.environment


async def test_only_its_own_variables_pass(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    theirs = {"OPENROUTER_API_KEY": "k", "OPENCODE": "1", "OPENCODE_PERMISSION": "{}", "GITHUB_TOKEN": "a"}
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    await stage.play([said("x"), STOP]).ask()
    assert theirs.keys() & stage.environment.keys() == {"OPENROUTER_API_KEY"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".opencode/plugin/bad.ts", ""),
        (".opencode/plugins/bad.js", ""),
        ("opencode.json", '{"plugins": ["./bad.js"]}'),
        (".opencode/opencode.jsonc", '{"\\u0070lugins": ["./bad.js"]}'),
    ],
)
@pytest.mark.parametrize("above", [False, True])
async def test_where_a_project_brings_plugins_only_full_access_is_taken(
    stage: Stage, file: str, text: str, above: bool
):
    path = (stage.folder if above else stage.workspace) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    asker = stage.play([said("x"), STOP])
    for access in ("read", "write"):
        with pytest.raises(StepFailed, match="the project's own plugins"):
            await asker.ask(access=access)
    assert (await asker.ask(access="full")).value == "x"
    if above:
        (stage.workspace / ".git").mkdir()
        assert (await asker.ask()).value == "x"


async def test_what_the_user_has_at_home_is_not_the_projects(stage: Stage):
    home = Path(os.environ["HOME"])
    (home / ".opencode" / "plugin").mkdir(parents=True)
    (home / ".opencode" / "plugin" / "mine.js").write_text("")
    stage.workspace = home / "project"
    stage.workspace.mkdir()
    (stage.workspace / "opencode.json").write_text('{"model": "own/m"}')
    assert (await stage.play([said("x"), STOP]).ask()).value == "x"


@pytest.mark.parametrize(
    ("variables", "files", "known"),
    [
        ({}, {}, False),
        ({}, {".local/share/opencode/auth.json": "{}"}, False),
        ({}, {".local/share/opencode/auth.json": "{broken"}, False),
        ({}, {".local/share/opencode/auth.json": '{"anthropic": {"type": "api", "key": "k"}}'}, True),
        ({}, {".config/opencode/opencode.jsonc": "{}"}, None),
        ({"OPENCODE_CONFIG": "/mine.json"}, {}, None),
        ({"ANTHROPIC_API_KEY": "k"}, {}, True),
    ],
)
def test_its_variables_and_files_tell_whether_it_is_signed_in(
    variables: dict[str, str], files: dict[str, str], known: bool | None
):
    for name, text in files.items():
        path = Path(os.environ["HOME"]) / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    environment = {"HOME": os.environ["HOME"], **variables}
    assert OpenCode(environment).sign_in(environment).known is known
