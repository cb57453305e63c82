"""One step of a workflow, sent to all five real coding agents at once."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.record.events import StepFinished, StepStarted
from tests.providers.agents.clis import Asker, left_behind, needs
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.test_claude_real import claude
from tests.providers.agents.test_codex_real import codex
from tests.providers.agents.test_gemini_real import gemini
from tests.providers.agents.test_opencode_real import opencode
from tests.providers.agents.test_qwen_real import qwen
from tests.providers.agents.wire_formats import Reply, Tokens
from tests.rig import Rig, events

FIVE = ("claude", "codex", "gemini", "opencode", "qwen")
ASK = f"""
async def main(args):
    return await agent("Say who you are.", providers={list(FIVE)!r}, strategy="all", reads=[])
"""

pytestmark = [pytest.mark.anyio, *(needs(name) for name in FIVE)]


async def test_a_step_sent_to_five_programs_has_five_answers_in_order(tmp_path: Path):
    rig = Rig(tmp_path)
    with ExitStack() as stack:
        askers = [asked(stack, name, rig.workspace) for name in FIVE]
        rig.providers = {name: asker.provider for name, asker in zip(FIVE, askers, strict=True)}
        outcome = await rig.run(ASK)

    assert [(one["provider"], one["ok"], one["output"]) for one in outcome.result] == [
        (name, True, f"{name} here") for name in FIVE
    ]
    (finished,) = [event for event in events(outcome) if isinstance(event, StepFinished)]
    assert finished.usage.output_tokens == 5 * 11
    assert sorted(event.provider for event in events(outcome) if isinstance(event, StepStarted)) == list(FIVE)
    assert left_behind() == []


def asked(stack: ExitStack, name: str, workspace: Path) -> Asker:
    """One of the programs, whose model says who it is."""
    reply = Reply(f"{name} here", tokens=Tokens(input=100, cached=0, output=11))
    server = stack.enter_context(ModelServer(reply))
    programs = {"claude": claude, "codex": codex, "gemini": gemini, "opencode": opencode, "qwen": qwen}
    return programs[name](server, workspace)
