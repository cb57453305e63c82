"""Pauses and what failures cost, in whole runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.errors import StepFailed
from engine.providers.base import Question
from engine.providers.fake import FakeProvider
from engine.record.events import ProviderPaused
from engine.record.events import StepFailed as StepFailedEvent
from engine.step import Usage
from tests.rig import Rig, events

pytestmark = pytest.mark.anyio


def exhausted(question: Question) -> Any:
    raise StepFailed("quota", "used up", retry_after=7200.0, usage=Usage(input_tokens=30))


async def test_a_paused_provider_is_not_asked_again_and_the_others_go_on(tmp_path: Path):
    rig = Rig(tmp_path, providers={"other": FakeProvider(lambda question: "from other", "other")})
    script = """
async def main(args):
    reasons = []
    for number in range(5):
        try:
            await agent(f"question {number}")
        except AgentError as error:
            reasons.append(error.reason)
    return [reasons, await agent("elsewhere", providers=["fake", "other"])]
"""
    outcome = await rig.run(script, reply=exhausted)
    assert outcome.result == [["quota"] * 5, "from other"]
    assert len(rig.asked) == 1
    paused = [event for event in events(outcome) if isinstance(event, ProviderPaused)]
    assert [(event.provider, event.reason, event.seconds) for event in paused] == [("fake", "quota", 7200.0)]


async def test_a_provider_without_quota_holds_no_place(tmp_path: Path):
    # The one place is asked for by steps that wait a minute; the run would stand still until then.
    def reply(question: Question) -> Any:
        raise StepFailed("quota", "used up", retry_after=60.0)

    rig = Rig(tmp_path, providers={"other": FakeProvider(lambda question: question.prompt, "other")})
    script = """
async def main(args):
    try:
        await agent("first", retries=0)
    except AgentError:
        pass
    waits = [agent(f"waits {n}") for n in range(3)]
    goes_on = [agent(f"goes on {n}", provider="other") for n in range(3)]
    return await parallel([*waits, *goes_on, agent("stop")])
"""
    stop, heard = anyio.Event(), list[str]()

    def view(event: Any) -> None:
        if event.kind == "StepFinished":
            heard.append(event.answer)
        if len(heard) == 3:
            stop.set()

    outcome = await rig.run(script, reply=reply, stop=stop, views=[view], max_parallel=1)
    assert outcome.status == "cancelled"
    assert sorted(heard) == ["goes on 0", "goes on 1", "goes on 2"]


async def test_what_a_failed_step_has_cost_is_in_the_record_and_the_budget(tmp_path: Path):
    script = """
async def main(args):
    try:
        await agent("fails")
    except AgentError:
        return budget.spent()
"""
    outcome = await Rig(tmp_path).run(script, reply=exhausted)
    (failed,) = [event for event in events(outcome) if isinstance(event, StepFailedEvent)]
    assert (failed.usage.input_tokens, outcome.usage.input_tokens, outcome.result) == (30, 30, 30)


async def test_a_limit_in_a_providers_table_holds(tmp_path: Path):
    running, most = 0, 0

    async def reply(question: Question) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        running -= 1
        return "done"

    rig = Rig(tmp_path)
    around = rig.surroundings(reply)
    around.registry.limits = lambda: {"fake": 2}  # pyright: ignore[reportAttributeAccessIssue]
    script = 'async def main(args):\n    return await parallel([agent(f"{n}") for n in range(12)])\n'
    outcome = await rig.run(script, around=around)
    assert (outcome.status, most) == ("done", 2)
