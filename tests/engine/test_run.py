"""Whole runs: real worker, real store, real journal."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from engine.errors import (
    CeilingReached,
    NoProviderReady,
    ScriptFailed,
    ScriptRefused,
    StepFailed,
    StorageFailed,
    UsageError,
    WorkerKilled,
)
from engine.providers.base import Question
from engine.record.events import Event, Logged, StepFinished, StepReused
from engine.record.events import StepFailed as StepFailedEvent
from engine.record.lock import RunLock
from engine.record.long_text import LONG
from engine.record.view import RunView, fold
from engine.step import Answer, Usage
from tests.rig import META, Rig, events, kinds

pytestmark = pytest.mark.anyio

ONE = 'async def main(args):\n    return await agent("hello", label="greet", reads=[])\n'


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_a_run_leaves_its_whole_record_on_disk(rig: Rig):
    outcome = await rig.run(ONE, args={"who": "me"})
    assert (outcome.status, outcome.result, outcome.steps["finished"]) == ("done", "echo:hello", 1)
    assert kinds(outcome) == ["RunStarted", "StepQueued", "StepStarted", "StepFinished", "RunFinished"]
    names = {
        path.relative_to(outcome.folder).as_posix() for path in outcome.folder.rglob("*") if path.is_file()
    }
    assert names == {
        "journal.jsonl", "lock", "result.json", "run.json", "script.py", "steps.jsonl", "summary.md",
    }  # fmt: skip
    facts = json.loads((outcome.folder / "run.json").read_text())
    assert facts["args"] == {"who": "me"}
    assert (outcome.folder / "script.py").read_text() == META + ONE
    line = json.loads((outcome.folder / "steps.jsonl").read_text())
    assert (line["step"], line["label"], line["prompt"], line["answer"]) == (
        1,
        "greet",
        "hello",
        "echo:hello",
    )
    queued = next(event for event in events(outcome) if event.kind == "StepQueued")
    assert (line["key"], line["miss"], line["reads"]) == (queued.key, "new", [])
    assert line["parts"]["providers"] == [["fake", None, None]]
    assert "prompt" not in line["parts"]
    assert (rig.workspace / ".mco" / ".gitignore").read_text() == "*\n"


async def test_folding_the_journal_gives_the_view_that_the_live_stream_gave(rig: Rig):
    live = RunView()
    outcome = await rig.run(ONE, views=[live.apply])
    assert fold(events(outcome)) == live


async def test_sequence_numbers_grow_by_one_and_every_step_ends_once(rig: Rig):
    source = (
        "async def main(args):\n"
        "    return await parallel([lambda n=n: agent(str(n), reads=[]) for n in range(20)])\n"
    )
    outcome = await rig.run(source, max_parallel=4)
    journal = events(outcome)
    assert [event.seq for event in journal] == list(range(1, len(journal) + 1))
    ended = [
        event.step for event in journal if isinstance(event, StepFinished | StepFailedEvent | StepReused)
    ]
    assert sorted(ended) == list(range(1, 21))


async def test_a_second_run_reuses_every_finished_step(rig: Rig):
    first = await rig.run(ONE)
    second = await rig.run(ONE)
    assert len(rig.asked) == 1
    assert second.steps["reused"] == 1
    reused = next(event for event in events(second) if event.kind == "StepReused")
    assert reused.from_run == first.run_id


async def test_an_edited_script_runs_only_what_changed(rig: Rig):
    two = (
        "async def main(args):\n"
        '    a = await agent("one", reads=[])\n'
        '    return [a, await agent("{second}", reads=[])]\n'
    )
    await rig.run(two.replace("{second}", "two"))
    outcome = await rig.run("x = 1  # moved down\n\n" + two.replace("{second}", "three"))
    assert [question.prompt for question in rig.asked] == ["one", "two", "three"]
    assert outcome.steps["reused"] == 1


async def test_equal_calls_are_samples_and_a_rerun_finds_the_same_ones(rig: Rig):
    answers = iter("abcdef")
    source = 'async def main(args):\n    return [await agent("dice", reads=[]) for _ in range(3)]\n'
    first = await rig.run(source, reply=lambda question: next(answers))
    second = await rig.run(source, reply=lambda question: next(answers))
    assert first.result == second.result == ["a", "b", "c"]


async def test_a_changed_file_runs_the_steps_that_read_it_again(rig: Rig):
    (rig.workspace / "a.py").write_text("1")
    (rig.workspace / "b.py").write_text("1")
    source = (
        "async def main(args):\n"
        '    await agent("A", reads=["a.py"])\n'
        '    await agent("B", reads=["b.py"])\n'
        '    await agent("none", reads=[])\n'
        '    await agent("all")\n'
    )
    await rig.run(source)
    (rig.workspace / "a.py").write_text("2")
    rig.asked.clear()
    await rig.run(source)
    assert [question.prompt for question in rig.asked] == ["A", "all"]


async def test_fresh_and_cache_false_ask_again(rig: Rig):
    await rig.run(ONE)
    await rig.run(ONE, fresh=True)
    uncached = ONE.replace("reads=[]", "reads=[], cache=False")
    await rig.run(uncached)
    assert len(rig.asked) == 3


async def test_an_answer_that_is_too_old_is_not_reused(rig: Rig):
    now = [1_000_000.0]
    rig.clock = lambda: now[0]
    source = ONE.replace("reads=[]", 'reads=[], cache="1d"')
    await rig.run(source)
    now[0] += 86_000
    await rig.run(source)
    assert len(rig.asked) == 1
    now[0] += 1_000
    await rig.run(source)
    assert len(rig.asked) == 2


async def test_a_failed_sibling_costs_its_siblings_nothing(rig: Rig):
    source = (
        "async def main(args):\n"
        '    return await parallel([lambda p=p: agent(p, reads=[]) for p in ["good", "bad", "fine"]])\n'
    )

    def reply(question):
        if question.prompt == "bad":
            raise StepFailed("refused", "not this one")
        return question.prompt

    outcome = await rig.run(source, reply=reply)
    assert outcome.result == ["good", None, "fine"]
    assert outcome.status == "partial"
    rig.asked.clear()
    again = await rig.run(source)
    assert [question.prompt for question in rig.asked] == ["bad"]
    assert again.status == "done"


async def test_a_script_sees_why_a_step_failed(rig: Rig):
    source = (
        "async def main(args):\n"
        "    try:\n"
        '        await agent("x", reads=[])\n'
        "    except AgentError as error:\n"
        "        return [error.reason, error.provider]\n"
    )

    def reply(question):
        raise StepFailed("quota", "used up")

    outcome = await rig.run(source, reply=reply)
    assert outcome.result == ["quota", "fake"]


async def test_a_guests_adapter_that_blows_up_fails_its_step_only(rig: Rig):
    source = 'async def main(args):\n    return await parallel([lambda: agent("x", reads=[])])\n'

    def reply(question):
        raise KeyError("oops")

    outcome = await rig.run(source, reply=reply, retries=0)
    assert outcome.result == [None]
    assert outcome.status == "partial"
    failed = next(event for event in events(outcome) if event.kind == "StepFailed")
    assert failed.reason == "crashed"
    assert "KeyError" in failed.message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("timeout=-1", "`timeout` is wrong"),
        ("schema={'type': 7}", "not a valid JSON Schema"),
        ("schema={'$ref': 'https://example.org/x'}", "not local"),
        ("model='rm -rf /'", "`model` is wrong"),
        ("strategy='best'", "`strategy` is wrong"),
        ("cache='soon'", "write an age"),
        ("provider='fake', providers=['fake']", "not both"),
    ],
)
async def test_a_wrong_option_of_agent_is_an_error_in_the_script_that_names_it(
    rig: Rig, options: str, said: str
):
    outcome = await rig.run(f'async def main(args):\n    return await agent("x", {options})\n')
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ScriptFailed)
    assert said in str(outcome.error)
    assert outcome.error.where == "trial.py:3"
    assert rig.asked == []


async def test_an_unknown_option_names_the_nearest_one(rig: Rig):
    outcome = await rig.run('async def main(args):\n    return await agent("x", lable="y")\n')
    assert "label" in str(outcome.error)


async def test_options_may_come_as_one_dict(rig: Rig):
    await rig.run(
        'async def main(args):\n    return await agent("x", {"label": "L", "model": "m", "reads": []})\n'
    )
    assert rig.asked[0].model == "m"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("provider='nobody'", "not_found"),
        ("access='write'", "refused"),
        ("capabilities=['telepathy']", "unsupported"),
    ],
)
async def test_a_step_that_nobody_can_take_fails_in_the_record(rig: Rig, options: str, reason: str):
    source = (
        "async def main(args):\n"
        "    try:\n"
        f'        await agent("x", {options})\n'
        "    except AgentError as error:\n"
        "        return error.reason\n"
    )
    outcome = await rig.run(source)
    assert outcome.result == reason
    assert kinds(outcome)[1:3] == ["StepQueued", "StepFailed"]
    assert outcome.status == ("done" if reason == "unsupported" else "partial")


async def test_schema_answers_are_checked_and_asked_for_again_with_the_error(rig: Rig):
    source = (
        "async def main(args):\n"
        '    return await agent("n?", reads=[], schema={"type": "object", "required": ["n"],'
        ' "properties": {"n": {"type": "integer"}}})\n'
    )
    replies = iter(['{"n": "x"}', 'Here it is:\n```json\n{"n": 4}\n```'])
    outcome = await rig.run(source, reply=lambda question: next(replies))
    assert outcome.result == {"n": 4}
    assert '$.n: "x" is not of type "integer"' in rig.asked[1].prompt


async def test_arguments_get_their_defaults_and_wrong_ones_are_refused_before_anything_is_spent(rig: Rig):
    source = (
        'meta = {"name": "t", "description": "d", "args": {"type": "object", "required": ["who"],'
        ' "properties": {"who": {"type": "string"}, "n": {"type": "integer", "default": 3}}}}\n'
        "async def main(args):\n    return args\n"
    )
    assert (await rig.run(source, args={"who": "me"})).result == {"who": "me", "n": 3}
    with pytest.raises(UsageError) as caught:
        await rig.run(source, args={"n": "many", "whom": 1})
    assert '"who" is a required property' in str(caught.value)
    assert "whom" in str(caught.value)
    assert caught.value.hint == "it takes who (string, required), n (integer)"
    assert len(list((rig.workspace / ".mco" / "runs").iterdir())) == 1


async def test_a_refused_script_makes_no_run(rig: Rig):
    with pytest.raises(ScriptRefused):
        await rig.run(META + "class A:\n    pass\nasync def main(args):\n    return 1\n")
    assert not (rig.workspace / ".mco").exists()


async def test_the_budget_of_a_run_stops_further_steps(rig: Rig):
    source = (
        "async def main(args):\n"
        "    done = []\n"
        "    for n in range(5):\n"
        "        done.append(await agent(str(n), reads=[]))\n"
        "        log('spent', tokens=budget.spent(), left=budget.remaining())\n"
        "    return done\n"
    )
    reply = lambda question: Answer(value="ok", usage=Usage(input_tokens=30, output_tokens=10))  # noqa: E731
    outcome = await rig.run(source, reply=reply, budget=100)
    assert outcome.status == "ceiling"
    assert len(rig.asked) == 3
    assert [e.fields for e in events(outcome) if e.kind == "Logged"][1] == {"tokens": 80, "left": 20}
    assert "BudgetReached" in kinds(outcome)
    assert outcome.usage.tokens == 120


async def test_a_budget_inside_binds_its_block_only(rig: Rig):
    source = (
        "async def main(args):\n"
        "    spent = []\n"
        "    try:\n"
        "        with budget(50):\n"
        "            for n in range(5):\n"
        "                await agent(str(n), reads=[])\n"
        "                spent.append(budget.spent())\n"
        "    except BudgetExceeded:\n"
        '        spent.append("stopped")\n'
        '    await agent("after", reads=[])\n'
        "    return [spent, budget.spent(), budget.total, budget.remaining() > 10**9]\n"
    )
    reply = lambda question: Answer(value="ok", usage=Usage(input_tokens=30))  # noqa: E731
    outcome = await rig.run(source, reply=reply)
    assert outcome.result == [[30, 60, "stopped"], 90, None, True]


async def test_unknown_costs_stay_unknown(rig: Rig):
    outcome = await rig.run(
        'async def main(args):\n    await agent("x", reads=[])\n    return budget.cost.spent()\n'
    )
    assert outcome.result is None
    assert outcome.usage.tokens is None


async def test_a_script_that_makes_too_many_calls_meets_the_limit(rig: Rig):
    source = (
        "async def main(args):\n"
        "    return await parallel([lambda n=n: agent(str(n), reads=[]) for n in range(100_000)])\n"
    )
    outcome = await rig.run(source, max_steps=50)
    assert outcome.status == "ceiling"
    assert len(rig.asked) == 50
    assert kinds(outcome).count("BudgetReached") == 1


async def test_a_flood_of_log_lines_is_cut_and_said(rig: Rig):
    outcome = await rig.run(
        'async def main(args):\n    for n in range(5000):\n        log("line " * 5000)\n', max_log_lines=20
    )
    assert outcome.status == "done"
    assert kinds(outcome).count("Logged") == 20
    assert kinds(outcome).count("BudgetReached") == 1
    assert (outcome.folder / "journal.jsonl").stat().st_size < 100_000


async def test_labels_phases_and_log_lines_are_cleaned_before_they_are_recorded(rig: Rig):
    source = (
        "async def main(args):\n"
        '    phase("\\x1b[2JOne\\u202e")\n'
        '    log("\\x1b]52;c;cm0=\\x07hi")\n'
        '    return await agent("x", reads=[], label="../../etc\\x00/passwd")\n'
    )
    outcome = await rig.run(source)
    text = (outcome.folder / "journal.jsonl").read_text()
    assert "\\u001b" not in text
    assert "\\u0000" not in text
    (question,) = rig.asked
    assert question.raw is not None
    assert question.raw.parent == outcome.folder / "steps"
    assert question.raw.name.startswith("1-etc-passwd-")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{1, 2}", "set"),
        ("float('nan')", "not finite"),
        ("{1: 2}", "key"),
        ("main", "function"),
        ("b'x'", "bytes"),
    ],
)
async def test_a_result_that_is_not_json_is_a_clear_failure(rig: Rig, value: str, said: str):
    outcome = await rig.run(f"async def main(args):\n    return {value}\n")
    assert outcome.status == "failed"
    assert said.lower() in str(outcome.error).lower()
    assert not (outcome.folder / "result.json").exists()


async def test_a_result_with_a_cycle_is_a_clear_failure(rig: Rig):
    outcome = await rig.run("async def main(args):\n    a = []\n    a.append(a)\n    return a\n")
    assert outcome.status == "failed"
    assert "itself" in str(outcome.error) or "cycle" in str(outcome.error)


async def test_a_script_that_never_ends_is_killed_and_said(rig: Rig):
    outcome = await rig.run("async def main(args):\n    while True:\n        pass\n", cpu_seconds=1)
    assert isinstance(outcome.error, WorkerKilled)
    assert "CPU" in str(outcome.error)
    assert kinds(outcome)[-1] == "RunFinished"


async def test_stopping_a_run_ends_its_steps_and_closes_its_journal(rig: Rig):
    stop = anyio.Event()

    async def hang(question):
        stop.set()
        await anyio.sleep_forever()

    outcome = await rig.run(ONE, reply=hang, stop=stop)
    assert outcome.status == "cancelled"
    assert kinds(outcome)[-2:] == ["StepFailed", "RunFinished"]
    assert fold(events(outcome)).status == "cancelled"


async def test_cancellation_from_above_is_recorded_and_passed_on(rig: Rig):
    async def hang(question):
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await rig.run(ONE, reply=hang)
    assert scope.cancelled_caught
    (folder,) = (rig.workspace / ".mco" / "runs").iterdir()
    assert json.loads((folder / "journal.jsonl").read_text().splitlines()[-1])["status"] == "cancelled"


async def test_a_workflow_inside_shares_the_run(rig: Rig):
    rig.scripts["inner"] = (
        'meta = {"name": "inner", "description": "d", "args": {"properties": {"n": {"type": "integer"}}}}\n'
        'async def main(args):\n    return [args["n"], await agent("inside", reads=[])]\n'
    )
    outcome = await rig.run('async def main(args):\n    return await workflow("inner", {"n": 2})\n')
    assert outcome.result == [2, "echo:inside"]
    assert outcome.steps["finished"] == 1


async def test_a_workflow_inside_a_workflow_cannot_call_a_third(rig: Rig):
    rig.scripts["inner"] = META + 'async def main(args):\n    return await workflow("inner", {})\n'
    outcome = await rig.run('async def main(args):\n    return await workflow("inner", {})\n')
    assert outcome.status == "failed"
    assert "cannot call a third" in str(outcome.error)


async def test_workflow_calls_are_limited_like_steps(rig: Rig):
    rig.scripts["inner"] = META + "async def main(args):\n    return 1\n"
    source = 'async def main(args):\n    for n in range(10):\n        await workflow("inner", {})\n'
    outcome = await rig.run(source, max_steps=3)
    assert isinstance(outcome.error, ScriptFailed | CeilingReached)
    assert outcome.status == "ceiling"


async def test_a_provider_that_is_not_ready_stops_the_run_before_it_starts(rig: Rig):
    from engine.providers.base import Readiness
    from engine.providers.fake import FakeProvider, echo

    class Asleep(FakeProvider):
        def readiness(self) -> Readiness:
            return Readiness(False, "it sleeps", "wake it")

    rig.providers["sleepy"] = Asleep(echo, "sleepy")
    with pytest.raises(NoProviderReady) as caught:
        await rig.run(ONE, provider="sleepy")
    assert (caught.value.why, caught.value.hint) == ("it sleeps", "wake it")
    with pytest.raises(UsageError, match="no provider 'nobody'"):
        await rig.run(ONE, provider="nobody")


@pytest.mark.skipif(os.name != "posix", reason="modes of folders")
async def test_a_state_folder_that_cannot_be_made_says_so(rig: Rig):
    (rig.workspace / ".mco").write_text("a file in the way")
    with pytest.raises(StorageFailed) as caught:
        await rig.run(ONE)
    assert str(rig.workspace / ".mco") in str(caught.value)
    assert caught.value.hint


async def test_a_disk_that_fills_up_in_the_middle_fails_the_run_clearly_and_keeps_what_was_paid_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    from engine.record import journal

    source = (
        'async def main(args):\n    return [await agent("one", reads=[]), await agent("two", reads=[])]\n'
    )
    real = os.write
    full = {"now": False}

    def write(file, data):
        if full["now"]:
            raise OSError(28, "No space left on device")
        return real(file, data)

    def reply(question):
        full["now"] = question.prompt == "two"
        return question.prompt

    with monkeypatch.context() as patch:
        patch.setattr(journal.os, "write", write)
        outcome = await rig.run(source, reply=reply)
    assert outcome.status == "failed"
    assert isinstance(outcome.error, StorageFailed)
    assert "No space left" in str(outcome.error)
    rig.asked.clear()
    again = await rig.run(source)
    assert again.steps["reused"] >= 1


async def test_an_item_that_came_to_nothing_makes_the_run_partial(rig: Rig):
    outcome = await rig.run("async def main(args):\n    return await parallel([lambda: undefined_name])\n")
    assert (outcome.status, outcome.result) == ("partial", [None])


async def test_a_reused_answer_keeps_its_note(rig: Rig):
    await rig.run(ONE)
    again = await rig.run(ONE)
    assert fold(events(again)).notes == {"fake": "answered by the fake provider"}


async def test_a_report_of_its_own_says_how_the_run_ended_all_the_same(rig: Rig):
    source = (
        "async def main(args):\n"
        '    await parallel([lambda: agent("x", reads=[], label="reviewer")])\n'
        '    return {"report": "# Mine"}\n'
    )

    def reply(question):
        raise StepFailed("refused", "not today")

    outcome = await rig.run(source, reply=reply)
    text = (outcome.folder / "summary.md").read_text()
    assert text.startswith("# Mine\n\n---\n")
    assert "partial, 1 failed." in text
    assert "- reviewer: failed, not today" in text


@pytest.mark.parametrize("unwritten", ["result.json", "summary.md"])
async def test_a_result_that_the_disk_does_not_take_fails_the_run_in_its_record_too(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, unwritten: str
):
    real = Path.replace

    def replace(draft, path):
        if path.name == unwritten:
            raise OSError(28, "No space left on device")
        return real(draft, path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        outcome = await rig.run(ONE)
    assert outcome.status == "failed"
    assert unwritten in str(outcome.error)
    ended = fold(events(outcome))
    assert (ended.status, ended.error) == ("failed", str(outcome.error))


@pytest.mark.parametrize("pattern", ["!", "[z-a]", "src\\\\"])
async def test_a_pattern_that_is_none_is_an_error_of_the_script(rig: Rig, pattern: str):
    outcome = await rig.run(f'async def main(args):\n    return await agent("x", reads=["{pattern}"])\n')
    assert outcome.status == "failed"
    assert "`reads` is wrong" in str(outcome.error)


async def test_workflows_inside_that_run_side_by_side_have_budgets_of_their_own(rig: Rig):
    rig.scripts["inner"] = META + (
        "async def main(args):\n"
        "    with budget(100):\n"
        '        await agent("x" + args["n"], reads=[])\n'
        "        return budget.spent()\n"
    )
    source = (
        "async def main(args):\n"
        '    return await parallel([workflow("inner", {"n": n}) for n in ["1", "2", "3"]])\n'
    )
    reply = lambda question: Answer(value="ok", usage=Usage(input_tokens=30))  # noqa: E731
    outcome = await rig.run(source, reply=reply)
    assert (outcome.status, outcome.result) == ("done", [30, 30, 30])


async def test_a_step_sees_the_files_as_an_earlier_step_left_them(rig: Rig):
    source = (
        "async def main(args):\n"
        '    await agent("look", reads=["a.py"])\n'
        '    await agent("change", access="write")\n'
        '    return await agent("look again", reads=["a.py"])\n'
    )
    file = rig.workspace / "a.py"

    def reply(question: Question) -> str:
        if question.prompt == "change":
            file.write_text("new")
        return question.prompt

    file.write_text("old")
    await rig.run(source, reply=reply, access="write")
    file.write_text("old")
    rig.asked.clear()
    await rig.run(source, access="write")  # this time nothing is changed
    assert [question.prompt for question in rig.asked] == ["change", "look again"]


async def test_a_kept_answer_that_is_no_json_is_made_anew_and_said(rig: Rig):
    await rig.run(ONE)
    with (
        closing(sqlite3.connect(rig.surroundings().workspace_cache / "answers" / "cache.db")) as store,
        store,
    ):
        store.execute("UPDATE Cache SET value = replace(value, '\"echo:hello\"', 'NaN')")
    outcome = await rig.run(ONE)
    assert (outcome.status, outcome.result) == ("done", "echo:hello")
    (warning,) = [event for event in events(outcome) if isinstance(event, Logged)]
    assert warning.message.startswith("a kept answer could not be read and is made anew")


async def test_a_script_cannot_keep_answers_longer_than_the_user(rig: Rig):
    now = [1_000_000.0]
    rig.clock = lambda: now[0]
    source = ONE.replace("reads=[]", 'reads=[], cache="9w"')
    await rig.run(source)
    now[0] += 3 * 86_400
    await rig.run(source, expire_days=2)
    assert len(rig.asked) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
async def test_a_file_whose_name_is_no_text_is_a_file_like_any_other(rig: Rig):
    name = Path(os.fsdecode(os.fsencode(rig.workspace) + b"/\xff.txt"))
    name.write_text("1")
    source = 'async def main(args):\n    return await agent("look")\n'
    await rig.run(source)
    name.write_text("2")
    await rig.run(source)
    assert len(rig.asked) == 2


async def test_a_step_that_cannot_be_written_down_has_an_end_in_the_record(rig: Rig):
    def block(event: Event) -> None:
        if event.kind == "StepStarted":
            (folder,) = (rig.workspace / ".mco" / "runs").iterdir()
            (folder / "steps.jsonl").mkdir()

    outcome = await rig.run(ONE, views=[block])
    assert isinstance(outcome.error, StorageFailed)
    assert kinds(outcome)[-2:] == ["StepFailed", "RunFinished"]
    assert outcome.steps["running"] == 0


async def test_reused_steps_have_spent_nothing_and_unmeasured_ones_nobody_knows_what(rig: Rig):
    source = 'async def main(args):\n    await agent("x", reads=[])\n    return budget.spent()\n'
    assert (await rig.run(source)).result is None
    assert (await rig.run(source)).result == 0


async def test_a_run_that_cannot_begin_lets_go_of_what_it_has_opened(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    closed: list[str] = []
    release, real = RunLock.release, Path.open
    monkeypatch.setattr(RunLock, "release", lambda lock: (closed.append("lock"), release(lock)))

    def full(path: Path, *args: Any, **options: Any) -> Any:
        if path.name.startswith(".script.py"):
            raise OSError(28, "No space left on device")
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageFailed, match="No space left"):
        await rig.run(ONE)
    assert closed == ["lock"]


async def test_an_answer_store_that_cannot_be_opened_ends_the_run_before_anything_is_asked(rig: Rig):
    store = rig.surroundings().workspace_cache / "answers"
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_text("a file where the store's folder should be")
    outcome = await rig.run(ONE)
    assert kinds(outcome)[-2:] == ["StepFailed", "RunFinished"]
    assert isinstance(outcome.error, StorageFailed)
    assert outcome.error.where == str(store)
    assert rig.asked == []


async def test_patterns_that_are_too_much_for_their_engine_are_refused_with_the_way_out(rig: Rig):
    source = (
        'async def main(args):\n    return await agent("x", reads=["*?" * 450 + str(n) for n in range(60)])\n'
    )
    outcome = await rig.run(source)
    assert "together they are too much to be matched; name folders instead" in str(outcome.error)


async def test_a_run_with_workflows_inside_leaves_no_worker_behind(rig: Rig):
    rig.scripts["inner"] = META + "async def main(args):\n    return 1\n"
    before = {child.pid for child in psutil.Process().children()}
    outcome = await rig.run('async def main(args):\n    return [await workflow("inner") for _ in range(3)]\n')
    assert outcome.result == [1, 1, 1]
    assert {child.pid for child in psutil.Process().children()} <= before


async def test_a_script_that_asks_on_and_on_beyond_its_ceiling_is_ended(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.dispatch.ceilings.MOST_REFUSED", 50)
    source = (
        "async def main(args):\n"
        "    while True:\n"
        "        try:\n"
        '            await agent("x", reads=[])\n'
        "        except Exception:\n"
        "            pass\n"
    )
    outcome = await rig.run(source, max_steps=3)
    assert (outcome.status, outcome.steps["finished"]) == ("ceiling", 3)


async def test_a_long_answer_is_asked_once_and_is_whole_wherever_it_stands(tmp_path: Path):
    text = 'é\\"\n😀' * LONG
    rig = Rig(tmp_path)
    source = "async def main(args):\n    return await agent('write', label='book', reads=[])\n"
    first = await rig.run(source, reply=lambda question: text)
    second = await rig.run(source, reply=lambda question: "not asked again")

    assert first.result == second.result == text
    assert len(rig.asked) == 1
    assert (first.folder / "steps" / "1-book.answer.txt").read_bytes().decode() == text
    assert not (second.folder / "steps").exists()


async def test_a_disk_that_takes_no_long_answer_ends_the_run_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(path: Path, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    rig = Rig(tmp_path)
    source = "async def main(args):\n    return len(await agent('write', reads=[]))\n"
    with monkeypatch.context() as patched:
        patched.setattr("engine.record.steps.write_text", full)
        failed = await rig.run(source, reply=lambda question: "x" * LONG)
    again = await rig.run(source, reply=lambda question: "x" * LONG)

    assert failed.status == "failed"
    assert "a step cannot be written down" in str(failed.error)
    assert (again.result, len(rig.asked)) == (LONG, 1)
