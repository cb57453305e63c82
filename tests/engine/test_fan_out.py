"""A step to several providers, from a script to its answer: what each is asked, and what is made of them."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.errors import StepFailed
from engine.providers.base import ProviderContext, Question, Readiness
from engine.providers.command import build as build_command
from engine.providers.fake import FakeProvider
from engine.step import Answer, Usage
from tests.rig import Rig, events

pytestmark = pytest.mark.anyio

ALL = 'async def main(args):\n    return await agent("p", providers=["a", "b", "c"], strategy="all", reads=[])\n'


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def cast(rig: Rig, **replies: Any) -> Counter[str]:
    """Put providers there that answer with a value, or with what a function says; how often each was asked."""
    return recast(rig, Counter(), replies)


def recast(rig: Rig, asked: Counter[str], replies: dict[str, Any]) -> Counter[str]:
    """Put others in their place, and go on counting."""

    def player(name: str, reply: Any) -> FakeProvider:
        def answer(question: Question) -> Any:
            asked[name] += 1
            return reply(question) if callable(reply) else reply

        return FakeProvider(answer, name)

    rig.providers.update({name: player(name, reply) for name, reply in replies.items()})
    return asked


def fails(reason: Any) -> Callable[[Question], Any]:
    def reply(question: Question) -> Any:
        raise StepFailed(reason, "not today")

    return reply


class NotReady(FakeProvider):
    def readiness(self) -> Readiness:
        return Readiness(False, "it is not installed")


async def test_each_entry_has_its_own_model_timeout_and_access(rig: Rig) -> None:
    heard: dict[str, Question] = {}
    cast(
        rig, **{name: lambda question, name=name: heard.setdefault(name, question) and "ok" for name in "abc"}
    )
    source = """
async def main(args):
    entries = ["a:opus", {"name": "b", "timeout": 600, "access": "read"}, {"name": "c", "model": "m"}]
    return await agent("p", providers=entries, strategy="all", model="step", timeout=7, access="write", reads=[])
"""
    outcome = await rig.run(source, access="write")
    assert outcome.status == "done", outcome.error
    assert {name: (q.model, q.timeout, q.access) for name, q in heard.items()} == {
        "a": ("opus", 7.0, "write"),
        "b": ("step", 600.0, "read"),
        "c": ("m", 7.0, "write"),
    }


@pytest.mark.parametrize("strategy", ["all", "agree", "race", "failover"])
@pytest.mark.parametrize("reason", ["auth", "refused", "quota"])
async def test_one_that_fails_never_stops_the_others(rig: Rig, strategy: str, reason: str) -> None:
    cast(rig, a=fails(reason), b={"n": 1}, c={"n": 1})
    outcome = await rig.run(ALL.replace('"all"', f'"{strategy}", schema={{"type": "object"}}'), retries=0)
    assert outcome.status == "done", outcome.error
    good = outcome.result[1]["output"] if strategy == "all" else outcome.result
    assert good == {"n": 1}


@pytest.mark.parametrize("strategy", ["all", "agree", "race", "failover"])
async def test_one_that_is_not_ready_never_stops_the_others(rig: Rig, strategy: str) -> None:
    asked = cast(rig, b="yes", c="yes")
    rig.providers["a"] = NotReady(lambda question: "never", "a")
    outcome = await rig.run(ALL.replace("all", strategy))
    assert outcome.status == "done", outcome.error
    assert asked["b"] == 1
    if strategy == "all":
        assert outcome.result[0] == {
            "provider": "a",
            "ok": False,
            "output": None,
            "error": {"reason": "not_found", "message": "provider 'a' is not ready: it is not installed"},
        }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("strategy", ["all", "agree"])
async def test_the_answer_is_the_same_whoever_is_quickest(
    rig: Rig, order: tuple[int, ...], strategy: str
) -> None:
    turns = [anyio.Event() for _ in range(4)]
    turns[0].set()
    place = {name: order.index(number) for number, name in enumerate("abc")}

    def waits(name: str) -> Callable[[Question], Any]:
        async def reply(question: Question) -> Any:
            await turns[place[name]].wait()
            turns[place[name] + 1].set()
            finding = {"category": "bug", "title": "same", "file": "x.py", "line": 1, "by": name}
            return {"findings": [finding, {"title": name}]}

        return reply

    cast(rig, **{name: waits(name) for name in "abc"})
    source = ALL.replace('"all"', f'"{strategy}", schema={{"type": "object"}}')
    outcome = await rig.run(source)
    if strategy == "all":
        assert [entry["provider"] for entry in outcome.result] == ["a", "b", "c"]
    else:
        findings = outcome.result["findings"]
        assert [(each["title"], each["detected_by"]) for each in findings] == [
            ("same", ["a", "b", "c"]),
            ("a", ["a"]),
            ("b", ["b"]),
            ("c", ["c"]),
        ]
        assert (findings[0]["by"], findings[0]["agreement"], findings[1]["agreement"]) == ("a", 1.0, 0.33)


async def test_an_answer_that_lacks_somebody_is_not_reused_and_nobody_else_is_paid_twice(rig: Rig) -> None:
    paid, cheap = Answer("A", Usage(input_tokens=100)), Answer("C", Usage(input_tokens=5))
    asked = cast(rig, a=lambda question: paid, b="B", c=fails("auth"))

    first = await rig.run(ALL, retries=0)
    assert [entry["ok"] for entry in first.result] == [True, True, False]
    recast(rig, asked, {"c": lambda question: cheap})
    second = await rig.run(ALL, retries=0)
    assert [entry["output"] for entry in second.result] == ["A", "B", "C"]
    assert asked == {"a": 1, "b": 1, "c": 2}
    assert second.usage.input_tokens == 5
    notes = [event.text for event in events(second) if event.kind == "StepProgressed"]
    assert notes == [f"its answer is kept, from run {first.run_id}"] * 2

    third = await rig.run(ALL, retries=0)
    assert third.result == second.result
    assert third.steps["reused"] == 1
    assert asked == {"a": 1, "b": 1, "c": 2}


async def test_what_one_of_several_said_before_the_run_was_stopped_is_not_asked_again(rig: Rig) -> None:
    stop = anyio.Event()

    async def stopping(question: Question) -> Any:
        await anyio.wait_all_tasks_blocked()  # the others have answered
        stop.set()
        await anyio.sleep_forever()

    asked = cast(rig, a="A", b="B", c=stopping)
    assert (await rig.run(ALL, stop=stop)).status == "cancelled"
    recast(rig, asked, {"c": "C"})
    assert [entry["output"] for entry in (await rig.run(ALL)).result] == ["A", "B", "C"]
    assert (asked["a"], asked["b"]) == (1, 1)


async def test_a_share_is_no_answer_of_a_step_that_asks_one_provider_alone(rig: Rig) -> None:
    asked = cast(rig, a="A", b="B", c="C")
    source = ALL.replace("    return", '    alone = await agent("p", provider="a", reads=[])\n    return')
    assert (await rig.run(source)).status == "done"
    assert asked["a"] == 2  # two calls are two samples


async def test_fresh_asks_all_of_them_again(rig: Rig) -> None:
    asked = cast(rig, a="A", b="B", c=fails("auth"))
    await rig.run(ALL, retries=0)
    await rig.run(ALL, retries=0, fresh=True)
    assert asked == {"a": 2, "b": 2, "c": 2}


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
async def test_the_losers_of_a_race_are_dead_with_all_that_they_started(rig: Rig, tmp_path: Path) -> None:
    """The loser forks a child into a session of its own and tells both ids; the winner repeats them."""
    pipe = tmp_path / "pids"
    os.mkfifo(pipe)
    loser = f"""
import os, time
child = os.fork()
if child == 0:
    os.setsid()
    time.sleep(600)
open({str(pipe)!r}, "w").write(f"[{{os.getpid()}}, {{child}}]")
time.sleep(600)
"""
    winner = f"print(open({str(pipe)!r}).read())"
    for name, code in (("a", loser), ("b", winner)):
        options = {"command": [sys.executable, "-I", "-S", "-c", code]}
        rig.providers[name] = build_command(
            ProviderContext(name, rig.workspace, tmp_path, options=options, environment=dict(os.environ))
        )
    outcome = await rig.run(ALL.replace(', "c"', "").replace("all", "race"))
    assert outcome.status == "done", outcome.error
    pids = json.loads(outcome.result)
    assert len(pids) == 2
    assert [pid for pid in pids if _runs(pid)] == []


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
    return "State:\tZ" not in status  # a dead one waits for init to collect it
