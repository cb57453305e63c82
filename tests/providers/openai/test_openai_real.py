"""The provider `openai` against a real model behind a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.errors import StepFailed
from engine.schema import Schema
from tests.providers.openai.endpoint_asker import EndpointAsker
from tests.providers.openai.small_model import KEY, SmallModel, needs_model
from tests.providers.openai.test_openai import Heard

pytestmark = [pytest.mark.anyio, needs_model]
FINDING = {
    "type": "object",
    "properties": {
        "severity": {"enum": ["high", "low"], "type": "string"},
        "line": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["severity", "line"],
    "additionalProperties": False,
}
WORKFLOW = f"""
meta = {{"name": "ask", "description": "Asks a small model twice"}}


async def main(args):
    finding = await agent("Name a finding.", label="finding", schema={FINDING!r})
    return {{"finding": finding, "said": await agent("Say hello.", label="hello")}}
"""
TABLE = """
[providers.small]
type = "openai"
base_url = "{address}/v1"
model = "small"
api_key_variable = "SMALL_KEY"
max_tokens = 200
temperature = 0
"""


def small(model: SmallModel, workspace: Path, key: str = KEY, **options: Any) -> EndpointAsker:
    return EndpointAsker(model.address, workspace, key, temperature=0, **options)


async def test_its_answer_is_streamed_and_its_tokens_are_counted(tmp_path: Path, small_model: SmallModel):
    asker = small(small_model, tmp_path, max_tokens=300)
    before = small_model.tokens_said()
    answer = await asker.ask("Say hello in one sentence.")
    assert isinstance(answer.value, str)
    assert answer.usage.output_tokens == small_model.tokens_said() - before
    assert (answer.usage.input_tokens or 0) > 5
    assert len(asker.progress) > 1
    assert answer.value.endswith(asker.progress[-1].text)


async def test_a_schema_holds_it_to_json_that_fits(tmp_path: Path, small_model: SmallModel):
    answer = await small(small_model, tmp_path, max_tokens=200).ask("Name a finding.", schema=FINDING)
    assert Schema(FINDING).problems(json.loads(answer.value)) == []


async def test_an_answer_that_was_cut_off_is_a_failure(tmp_path: Path, small_model: SmallModel):
    with pytest.raises(StepFailed, match="cut off") as caught:
        await small(small_model, tmp_path, max_tokens=3).ask("Tell me a long story.")
    assert caught.value.reason == "bad_output"
    assert caught.value.usage.output_tokens == 3


async def test_a_prompt_that_is_too_long_for_it_is_told(tmp_path: Path, small_model: SmallModel):
    with pytest.raises(StepFailed, match="longer than the model can take") as caught:
        await small(small_model, tmp_path).ask("word " * 4000)
    assert caught.value.reason == "unsupported"


async def test_a_wrong_key_is_told(tmp_path: Path, small_model: SmallModel):
    with pytest.raises(StepFailed, match="Invalid API Key") as caught:
        await small(small_model, tmp_path, key="another-key").ask()
    assert (caught.value.reason, caught.value.hint) == ("auth", "correct MY_KEY")


async def test_a_cancelled_step_frees_the_place_it_had(tmp_path: Path, small_model: SmallModel):
    endless = {
        "type": "object",
        "properties": {"n": {"type": "array", "items": {"type": "boolean"}, "minItems": 900}},
        "required": ["n"],
        "additionalProperties": False,
    }
    before = small_model.tokens_said()
    asker, said = small(small_model, tmp_path), anyio.Event()
    asker.progress = Heard(said)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: asker.ask(schema=endless))
        await said.wait()
        tasks.cancel_scope.cancel()
    await small(small_model, tmp_path, max_tokens=300).ask("Say hello in one sentence.")
    assert small_model.tokens_said() - before < 900


def test_a_whole_workflow_runs_on_it(tmp_path: Path, small_model: SmallModel):
    (tmp_path / "ask.py").write_text(WORKFLOW)
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "mco" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(TABLE.format(address=small_model.address))
    mco = Path(sys.executable).parent / "mco"
    options = ["--provider", "small", "--trust", "--json"]
    done = subprocess.run(
        [mco, "run", "./ask.py", *options], cwd=tmp_path, env={**os.environ, "SMALL_KEY": KEY},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert document["status"] == "done"
    assert Schema(FINDING).problems(document["result"]["finding"]) == []
    assert document["usage"]["output_tokens"] > 0
    assert [
        path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ] == []
