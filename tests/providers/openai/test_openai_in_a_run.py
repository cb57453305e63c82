"""The provider `openai` in a run of a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.wire_formats import Reply
from tests.providers.openai.endpoint_asker import KEY, EndpointAsker
from tests.rig import Rig, kinds

pytestmark = pytest.mark.anyio


def script(options: str) -> str:
    return f'async def main(args):\n    return await agent("p", provider="local", {options})'


async def test_a_deadline_of_the_step_holds(tmp_path: Path):
    with ModelServer(Reply("it never ends", manner="pause")) as server:
        rig = Rig(tmp_path, providers={"local": EndpointAsker(server.address, tmp_path).provider})
        outcome = await rig.run(script("timeout=0.3, retries=0"))
    assert "no answer within 0.3 s" in str(outcome.error)
    assert kinds(outcome)[-2:] == ["StepFailed", "RunFinished"]


async def test_an_answer_that_does_not_fit_is_asked_for_again(tmp_path: Path):
    with ModelServer(Reply('{"n": "five"}'), Reply('{"n": 5}')) as server:
        rig = Rig(tmp_path, providers={"local": EndpointAsker(server.address, tmp_path).provider})
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        outcome = await rig.run(script(f"schema={schema}"))
    assert outcome.result == {"n": 5}
    assert any("could not be used" in text for text in server.requests[1].texts())


async def test_the_key_is_in_no_file_of_the_run(tmp_path: Path):
    replies = (Reply(f"bad {KEY}", status=500), Reply(f"your key is {KEY}"))
    with ModelServer(*replies) as server:
        rig = Rig(tmp_path, providers={"local": EndpointAsker(server.address, tmp_path).provider})
        outcome = await rig.run(script("retries=1"))
    files = [path for path in outcome.folder.rglob("*") if path.is_file()]
    assert any("[the API key]" in path.read_text() for path in files)
    assert [path.name for path in files if KEY in path.read_text()] == []
    assert outcome.result == "your key is [the API key]"
