"""`mco run --record FILE` and `--replay FILE`: answers that travel to another machine, checked where they arrive."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StorageFailed
from engine.testing.workflow import run_workflow
from tests.cli.console import Mco, Said
from tests.trusting import trust_project
from workflows.cli.caller import Caller
from workflows.cli.main import run_command

FAKE = ("--provider", "fake")
FLOW = """\
meta = {"name": "flow", "description": "x"}
FOUND = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


async def main(args):
    found = await parallel([lambda: agent("Look.", label="look", schema=FOUND) for _ in range(3)])
    try:
        await agent("Doubt.", label="doubt", reads=[])
    except AgentError as error:
        found.append(error.reason)
    return await agent(f"Report {found}.", label="report", model="big", reads=[])
"""
RULES = """\
[[rules]]
match = "Look"
times = 1
value = { n = 1 }
usage = { input_tokens = 900, output_tokens = 100 }

[[rules]]
match = "Look"
value = { n = 2 }

[[rules]]
match = "Doubt"
fail = "refused"
message = "I would rather not"
"""


@pytest.fixture
def flow(project: Path) -> Path:
    path = project / "flow.py"
    path.write_text(FLOW, encoding="utf-8")
    return path


@pytest.fixture
def tape(mco: Mco, flow: Path, project: Path) -> Path:
    """The cassette of a run whose answers differ, and of which one failed."""
    (project / "rules.toml").write_text(RULES)
    rules = {"MCO_FAKE_RULES": str(project / "rules.toml")}
    said = mco("run", "flow.py", "--record", "tape.json", *FAKE, environment=rules)
    assert "recorded 5 steps to" in said.stderr
    return project / "tape.json"


@pytest.fixture
def elsewhere(flow: Path, tape: Path, tmp_path: Path) -> Path:
    """Another machine's clone: the script and the cassette, and nothing else."""
    folder = tmp_path / "clone"
    (folder / ".git").mkdir(parents=True)
    for path in (flow, tape):
        shutil.copy(path, folder)
    trust_project(folder)
    return folder


def run_there(folder: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """A command of somebody who has no cache and no provider."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder.parent / "other-cache"), "PATH": "/nowhere"}
    capfd.readouterr()
    code = run_command(arguments, Caller(folder, environment, lambda: 1_795_258_500.0, random.Random(8)))
    output, errors = capfd.readouterr()
    return Said(code, output, errors, folder)


def changed(tape: Path, **fields: Any) -> None:
    tape.write_text(json.dumps({**json.loads(tape.read_text()), **fields}))


def test_a_replay_elsewhere_ends_as_the_recorded_run_did(
    elsewhere: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = run_there(elsewhere, capfd, "run", "flow.py", "--replay", "tape.json")

    assert said.stdout == "echo:Report [{'n': 1}, {'n': 2}, {'n': 2}, 'refused'].\n"
    assert said.code == 3
    assert "failed  doubt  refused: I would rather not\n" in said.stderr
    assert "replayed from" in said.stderr
    assert "note: answered by the fake provider (fake)\n" in said.stderr
    assert "5 steps · 4 reused · 1 failed" in said.stderr
    assert "1k tokens" not in said.stderr  # what it cost when it was recorded was not spent here


def test_a_replay_says_when_the_files_are_others(elsewhere: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = run_there(elsewhere, capfd, "run", "flow.py", "--replay", "tape.json")

    assert "note: 3 answers came from other files than are here now\n" in said.stderr


def test_a_replay_asks_nobody_and_keeps_nothing(elsewhere: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_there(elsewhere, capfd, "run", "flow.py", "--replay", "tape.json")
    said = run_there(elsewhere, capfd, "run", "flow.py", "--dry-run", "--json", *FAKE)

    assert {step["would"] for step in json.loads(said.stdout)["plan"]} == {"ask"}


def test_the_record_says_that_a_cassette_answered(elsewhere: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = run_there(elsewhere, capfd, "run", "flow.py", "--replay", "tape.json", "--stream", "jsonl")

    events = [json.loads(line) for line in said.stdout.splitlines()]
    reused = [event for event in events if event["kind"] == "StepReused"]
    recorded = json.loads((elsewhere / "tape.json").read_text())["run"]
    assert events[0]["answers"] == "cassette"
    assert {event["from_run"] for event in reused} == {recorded}
    assert [event["saved"]["input_tokens"] for event in reused] == [900, None, None, None]


def test_a_replay_is_not_taken_up_unless_it_is_named(
    elsewhere: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_there(elsewhere, capfd, "run", "flow.py", "--replay", "tape.json").code == 3
    story = run_there(elsewhere, capfd, "show", "last").stdout
    assert "folder" in story
    assert "mco resume" not in story

    assert "no run here is left unfinished" in run_there(elsewhere, capfd, "resume").stderr


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (("Doubt.", "Doubts?"), "'doubt', which differs in prompt (recorded 'Doubt.', now 'Doubts?')"),
        (('model="big"', 'model="small"'), "'report', which differs in model (recorded 'big', now 'small')"),
        (('"integer"', '"number"'), "'look', which differs in schema"),
        (("range(3)", "range(4)"), "it holds 3 of these, and this is number 4"),
        (('label="doubt"', 'label="doubt", provider="claude"'), "'doubt', which differs in providers"),
    ],
)
def test_a_step_that_it_does_not_hold_ends_the_run_with_the_nearest(
    mco: Mco, flow: Path, tape: Path, edit: tuple[str, str], why: str
) -> None:
    flow.write_text(FLOW.replace(*edit))
    said = mco("run", "flow.py", "--replay", "tape.json")

    assert said.code == 1
    assert "error: the cassette has no answer for the step" in said.stderr
    assert why in said.stderr
    assert "hint: record it anew with --record, or undo what differs" in said.stderr


def test_labels_and_phases_may_change(mco: Mco, flow: Path, tape: Path) -> None:
    flow.write_text(FLOW.replace('label="doubt"', 'label="second thoughts", phase="Doubt", retries=0'))
    said = mco("run", "flow.py", "--replay", "tape.json")

    assert said.code == 3
    assert "note: 1 recorded step" not in said.stderr


def test_what_nobody_asked_for_is_counted(mco: Mco, flow: Path, tape: Path) -> None:
    whole = "Report [{'n': 1}, {'n': 2}, {'n': 2}, 'refused']."
    flow.write_text(FLOW.replace("range(3)", "range(2)").replace('f"Report {found}."', f'"{whole}"'))
    said = mco("run", "flow.py", "--replay", "tape.json")

    assert "note: 1 recorded step nobody asked for\n" in said.stderr


def test_a_run_that_fails_is_recorded_too(mco: Mco, project: Path) -> None:
    (project / "bad.py").write_text(
        'meta = {"name": "bad", "description": "x"}\n\nasync def main(args):\n'
        '    await agent("one", label="one", reads=[])\n    return [][1]\n'
    )
    said = mco("run", "bad.py", "--record", "bad.json", *FAKE)
    tape = json.loads((project / "bad.json").read_text())

    assert said.code == 1
    assert tape["status"] == "failed"
    assert [(step["label"], step["answer"]["value"]) for step in tape["steps"]] == [("one", "echo:one")]


def test_reused_answers_are_recorded_as_well(mco: Mco, flow: Path, tape: Path) -> None:
    before = json.loads(tape.read_text())["steps"]
    rules = {"MCO_FAKE_RULES": str(flow.with_name("rules.toml"))}
    flow.with_name("tape.json").unlink()
    said = mco("run", "flow.py", "--record", "tape.json", *FAKE, environment=rules)

    assert "reused" in said.stderr
    again = json.loads(tape.read_text())["steps"]
    assert [step["answer"] and step["answer"]["value"] for step in again] == [
        step["answer"] and step["answer"]["value"] for step in before
    ]


def test_a_file_that_is_no_cassette_is_not_written_over(mco: Mco, flow: Path, project: Path) -> None:
    said = mco("run", "flow.py", "--record", "flow.py", *FAKE)

    assert said.code == 2
    assert "not a cassette, and is not written over" in said.stderr
    assert flow.read_text() == FLOW


def test_a_cassette_is_written_over_by_the_next(mco: Mco, flow: Path, tape: Path) -> None:
    flow.write_text(FLOW.replace("range(3)", "range(1)"))

    assert "recorded 3 steps" in mco("run", "flow.py", "--record", "tape.json", *FAKE).stderr
    assert len(json.loads(tape.read_text())["steps"]) == 3


def test_a_cassette_that_cannot_be_written_fails_the_command_and_not_the_run(
    mco: Mco, flow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, cassette: object) -> None:
        raise StorageFailed(
            "a file of mco's cannot be written", where=str(path), why="No space left on device"
        )

    monkeypatch.setattr("workflows.cli.tape.write_cassette", full)
    said = mco("run", "flow.py", "--record", "tape.json", "--json", *FAKE)

    assert said.code == 1
    assert json.loads(said.stdout)["status"] == "done"
    assert "No space left on device" in said.stderr


def test_a_cassette_that_no_replay_would_take_is_not_called_recorded(
    mco: Mco, flow: Path, tape: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tape.read_text()
    monkeypatch.setattr("engine.stand_ins.cassette.MAXIMUM_BYTES", 500)
    said = mco("run", "flow.py", "--record", "tape.json", *FAKE)

    assert said.code == 1
    assert "the cassette is not written" in said.stderr
    assert "recorded" not in said.stderr
    assert tape.read_text() == before


def test_a_refused_run_leaves_no_cassette(mco: Mco, project: Path) -> None:
    (project / "bad.py").write_text("meta = ")
    said = mco("run", "bad.py", "--record", "bad.json", *FAKE)

    assert said.code == 2
    assert not (project / "bad.json").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is not JSON"),
        ("[]", "that is no cassette"),
        ('{"cassette": 2}', "its version is not 1"),
        (
            '{"cassette": 1, "status": "done", "recorded_at": 0, "default": "x", "steps": [{}]}',
            "steps.0.asked",
        ),
        ('{"cassette": 1, "status": "done", "recorded_at": NaN, "default": "x"}', "it is not JSON"),
        ('{"cassette": 1, "status": "done", "recorded_at": 0, "default": "x", "code": "y"}', "code"),
        ("[" * 100_000, "it is not JSON"),
        ("\x80\x04}.", "it is not JSON"),
    ],
)
def test_a_file_that_is_no_cassette_is_refused(mco: Mco, flow: Path, content: str, why: str) -> None:
    flow.with_name("tape.json").write_bytes(content.encode("latin-1"))
    said = mco("run", "flow.py", "--replay", "tape.json")

    assert said.code == 2
    assert why in said.stderr
    assert "bug" not in said.stderr


@pytest.mark.parametrize(
    ("value", "why"),
    [({"n": "many"}, "does not fit the schema"), (None, "does not fit the schema"), ("no", "no JSON")],
)
def test_an_answer_that_somebody_has_changed_is_checked(
    mco: Mco, flow: Path, tape: Path, value: Any, why: str
) -> None:
    steps = json.loads(tape.read_text())["steps"]
    steps[0]["answer"]["value"] = value
    changed(tape, steps=steps)
    said = mco("run", "flow.py", "--replay", "tape.json")

    assert said.code == 1
    assert why in said.stderr


def test_what_a_cassette_says_steers_no_terminal(mco: Mco, flow: Path, tape: Path) -> None:
    steps = json.loads(tape.read_text())["steps"]
    for step in steps:
        step["label"] = "\x1b[2Jgone"
        step["asked"]["prompt"] = "\x1b]0;title\x07" + step["asked"]["prompt"]
    changed(tape, steps=steps, run="\x1b[31mred")
    said = mco("run", "flow.py", "--replay", "tape.json")

    assert said.code == 1
    assert "\x1b" not in said.stderr
    assert "\x07" not in said.stderr


def test_a_provider_that_was_not_ready_is_not_ready_in_the_replay(mco: Mco, project: Path) -> None:
    (project / "flow.py").write_text(
        'meta = {"name": "flow", "description": "x"}\n\nasync def main(args):\n'
        '    try:\n        return await agent("a", label="a", provider="claude")\n'
        '    except AgentError:\n        return await agent("b", label="b", reads=[])\n'
    )
    nowhere = {"PATH": "/nowhere"}
    recorded = mco("run", "flow.py", "--record", "tape.json", *FAKE, environment=nowhere)
    replayed = mco("run", "flow.py", "--replay", "tape.json")

    assert recorded.stdout == replayed.stdout == "echo:b\n"
    assert recorded.code == replayed.code


def test_a_test_can_play_what_the_command_recorded(flow: Path, tape: Path) -> None:
    outcome = run_workflow(flow, cassette=tape)

    assert outcome.result == "echo:Report [{'n': 1}, {'n': 2}, {'n': 2}, 'refused']."
    assert outcome.step("doubt").failure == "refused: I would rather not"
    flow.write_text(FLOW.replace("Doubt.", "Doubts?"))
    with pytest.raises(AssertionError, match=r"no answer for the step 'doubt'.*differs in prompt"):
        run_workflow(flow, cassette=tape)
