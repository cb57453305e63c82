"""`mco run --dry-run`: the plan of a script, with nothing asked, spent, started or kept."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import Mco

FAKE = ("--provider", "fake")
FLOW = """\
meta = {"name": "flow", "description": "x", "phases": [{"title": "Look"}, {"title": "Report"}]}
FOUND = {"type": "object", "properties": {"grave": {"type": "boolean"}}, "required": ["grave"]}


async def main(args):
    phase("Look")
    found = await agent("Look.", label="look at it", schema=FOUND, reads=[])
    phase("Report")
    if found["grave"]:
        await agent("Alarm!", label="alarm", model="big", reads=[])
    return await agent(f"Report {found}.", label="report", reads=[])
"""


@pytest.fixture
def flow(project: Path) -> Path:
    path = project / "flow.py"
    path.write_text(FLOW, encoding="utf-8")
    return path


def plan(said: str) -> list[tuple[str, str]]:
    return [(step["label"], step["would"]) for step in json.loads(said)["plan"]]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_steps_are_shown_in_order_with_who_would_be_asked(mco: Mco, flow: Path) -> None:
    said = mco("run", "flow.py", "--dry-run", *FAKE)

    assert str(said) == (
        "exit 0\n--- stdout\n"
        "#  STEP        PHASE   PROVIDER  ACCESS  WOULD\n"
        "1  look at it  Look    fake      read    ask\n"
        "2  report      Report  fake      read    ask\n"
        "\n"
        "dry run: 2 steps · 2 would be asked · 0 would be reused\n"
        "--- stderr\n"
        "dry run: nobody was asked, nothing was spent or kept\n"
    )


def test_nothing_is_left_anywhere(mco: Mco, flow: Path, project: Path, hermetic_environment: Path) -> None:
    temporary = Path(os.environ.get("TMPDIR", "/tmp"))
    before = files(project), files(hermetic_environment), sorted(temporary.glob("mco-dry-*"))
    mco("run", "flow.py", "--dry-run", *FAKE)

    assert (files(project), files(hermetic_environment), sorted(temporary.glob("mco-dry-*"))) == before


def test_what_is_kept_would_be_reused_and_what_depends_on_it_is_walked_with_it(
    mco: Mco, flow: Path, project: Path
) -> None:
    rules = project / "rules.toml"
    rules.write_text(
        '[[rules]]\nmatch = "Look"\nvalue = {grave = true}\nusage = {input_tokens = 900, cost = 0.5}\n'
    )
    mco("run", "flow.py", *FAKE, environment={"MCO_FAKE_RULES": str(rules)})
    flow.write_text(FLOW.replace("Report {found}", "Tell {found}"))
    runs = len(list(project.glob(".mco/runs/*")))
    said = mco("run", "flow.py", "--dry-run", *FAKE)

    assert "look at it  Look    fake        read    reuse (just now, 900 tokens · $0.50)" in said.stdout
    assert "alarm       Report  fake (big)  read    reuse (just now, – tokens)" in said.stdout
    assert "report      Report  fake        read    ask" in said.stdout
    assert "reuse saves ≥900 tokens · ≥$0.50 · " in said.stdout
    assert len(list(project.glob(".mco/runs/*"))) == runs


def test_stubs_are_never_found_by_a_real_run(mco: Mco, flow: Path) -> None:
    mco("run", "flow.py", "--dry-run", *FAKE)
    said = mco("run", "flow.py", *FAKE)

    assert "reused" not in said.stderr
    assert said.stdout == "echo:Report {'grave': False}.\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [("stubs.toml", '"look *" = { grave = true }\n'), ("stubs.json", '{"look *": {"grave": true}}')],
)
def test_stubs_choose_the_way(mco: Mco, flow: Path, project: Path, name: str, content: str) -> None:
    (project / name).write_text(content)
    said = mco("run", "flow.py", "--dry-run", "--stubs", name, "--json", *FAKE)

    document = json.loads(said.stdout)
    assert [step["label"] for step in document["plan"]] == ["look at it", "alarm", "report"]
    assert document["without_stub"] == ["alarm", "report"]
    assert "note: no stub for 'alarm', 'report': the smallest answer that fits was taken\n" in said.stderr


def test_a_stub_goes_before_a_kept_answer_which_is_shown_all_the_same(
    mco: Mco, flow: Path, project: Path
) -> None:
    mco("run", "flow.py", *FAKE)
    (project / "stubs.json").write_text('{"look at it": {"grave": true}}')
    said = mco("run", "flow.py", "--dry-run", "--stubs", "stubs.json", "--json", *FAKE)

    assert plan(said.stdout) == [("look at it", "reuse"), ("alarm", "ask"), ("report", "ask")]


def test_a_stub_that_fails_is_a_failure_in_the_script(mco: Mco, flow: Path, project: Path) -> None:
    (project / "stubs.json").write_text('{"look at it": {"$fail": "quota", "message": "later"}, "gone": "x"}')
    said = mco("run", "flow.py", "--dry-run", "--stubs", "stubs.json", "--json", *FAKE)

    document = json.loads(said.stdout)
    assert said.code == 1
    assert document["plan"][0]["failure"] == {"reason": "quota", "message": "later"}
    assert document["unused_stubs"] == ["gone"]
    assert "quota" in said.stderr
    assert "mco resume" not in said.stderr


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("s.json", '{"look at it": {"grave": "yes"}}', "look at it' does not fit"),
        ("s.json", '{"look at it": ', "it is not JSON"),
        ("s.toml", "x = ", "it is not TOML"),
        ("s.json", "[1]", "not an object"),
        ("s.json", '{"x": {"$fail": "tired"}}', "'tired' is no reason"),
        ("s.json", '{"x": NaN}', "not JSON"),
        ("s.toml", "x = 1979-05-27", "not JSON"),
        ("s.json", '{"x": {"$fail": "quota", "text": "y"}}', "only a text as 'message'"),
    ],
)
def test_stubs_that_are_wrong_are_named(mco: Mco, flow: Path, name: str, content: str, why: str) -> None:
    flow.with_name(name).write_text(content)
    said = mco("run", "flow.py", "--dry-run", "--stubs", name, *FAKE)

    assert said.code in (1, 2)
    assert why in said.stderr
    assert f"where: [FOLDER]/{name}" in str(said)


def test_json_is_marked_as_dry(mco: Mco, flow: Path) -> None:
    document: dict[str, Any] = json.loads(mco("run", "flow.py", "--dry-run", "--json", *FAKE).stdout)

    assert (document["dry_run"], document["run_id"], document["folder"]) == (True, None, None)
    assert set(document["usage"].values()) == {None}
    assert set(document["saved"].values()) == {None}
    assert document["plan"][0] == {
        "step": 1,
        "label": "look at it",
        "phase": "Look",
        "providers": [{"name": "fake", "model": None, "ready": True}],
        "strategy": "failover",
        "access": "read",
        "isolation": None,
        "would": "ask",
        "why": "new",
        "from_run": None,
        "age": None,
        "saved": None,
        "failure": None,
    }


def test_the_stream_is_marked_as_stubs(mco: Mco, flow: Path) -> None:
    said = mco("run", "flow.py", "--dry-run", "--stream", "jsonl", *FAKE)

    events = [json.loads(line) for line in said.stdout.splitlines()]
    assert events[0]["answers"] == "stubs"
    notes = {event["note"] for event in events if event["kind"] == "StepFinished"}
    assert notes == {"dry run: the answer is a stub"}


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_no_program_of_a_provider_is_started(
    mco: Mco, project: Path, hermetic_environment: Path, tmp_path: Path
) -> None:
    trace, program = tmp_path / "trace", tmp_path / "agent"
    program.write_text(f"#!/bin/sh\necho x >> {trace}\necho answer\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    settings = hermetic_environment / "config" / "mco" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        f'[providers.mine]\ncommand = ["{program}"]\n[providers.lost]\ncommand = ["/no/such"]\n'
    )
    (project / "flow.py").write_text(
        'meta = {"name": "flow", "description": "x"}\n\nasync def main(args):\n'
        '    await agent("a", label="a", reads=[])\n'
        '    await agent("b", label="b", provider="lost", reads=[])\n'
        '    await agent("c", label="c", providers=["mine", "lost"], strategy="race", reads=[])\n'
    )
    said = mco("run", "flow.py", "--dry-run")

    assert "a     –      mine              read    ask\n" in said.stdout
    assert "b     –      lost              read    fail: lost not ready here\n" in said.stdout
    assert "c     –      race: mine, lost  read    ask; lost not ready here\n" in said.stdout
    assert not trace.exists()
    assert mco("run", "flow.py").code == 1  # the script does not catch what `lost` raises
    assert trace.exists()


def test_a_step_that_nobody_may_take_is_shown_as_failing(mco: Mco, project: Path) -> None:
    (project / "flow.py").write_text(
        'meta = {"name": "flow", "description": "x"}\n\nasync def main(args):\n'
        '    await parallel([agent("a", label="a", access="write")])\n'
    )
    said = mco("run", "flow.py", "--dry-run", "--json", *FAKE)

    assert plan(said.stdout) == [("a", "fail")]
    assert said.code == 3


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--dry-run", "--record", "x"), "--dry-run and --record both say who answers"),
        (("--record", "x", "--replay", "x"), "--record and --replay both say who answers"),
        (("--stubs", "x"), "--stubs is for --dry-run"),
        (("--watch", "--fresh"), "--fresh does not go with --watch"),
        (("--watch", "--record", "x"), "--record does not go with --watch"),
        (("--replay", "x", "--fresh"), "--fresh does not go with --replay"),
        (("--replay", "x", "--provider", "fake"), "--provider does not go with --replay"),
        (("--dry-run", "--format", "sarif"), "a dry run has no findings to show"),
        (("--dry-run", "--stubs", "nowhere.json"), "the stubs cannot be read"),
        (("--replay", "nowhere.json"), "the cassette cannot be read"),
        (("--record", "no/such/folder.json"), "there is no such folder"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    mco: Mco, flow: Path, options: tuple[str, ...], what: str
) -> None:
    said = mco("run", "flow.py", *options)

    assert said.code == 2
    assert said.stderr.startswith(f"error: {what}\n")


def test_a_prompt_to_several_leaves_no_artifacts_of_a_dry_run(mco: Mco, project: Path) -> None:
    said = mco("run", "--prompt", "what is this?", "--providers", "fake", "--dry-run")

    assert said.code == 0
    assert "dry run: 1 step · 1 would be asked" in said.stdout
    assert files(project) == []
