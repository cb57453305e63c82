"""`mco why`: real runs by the command, edited between, and the reason of each step that ran again."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.record.long_text import LONG
from tests.cli.console import Mco
from tests.cli.past.conftest import Hours
from tests.cli.past.six import ALONE, SIX, STEPS, edit, folders, kinds, ran, run_six, told


def test_the_steps_of_a_first_run_are_new(mco: Mco) -> None:
    run_six(mco)
    assert kinds(mco) == dict.fromkeys(STEPS, "new")


def test_editing_the_third_of_six_steps_runs_it_and_what_sees_its_answer(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, "Write a draft.", "Write a short draft.")
    run_six(mco)

    assert ran(mco) == {"draft": "prompt", "review": "upstream"}
    review = told(mco)["review"]
    assert review["upstream"] == {"step": 3, "label": "draft"}
    assert review["earlier"] == {"run_id": folders(workspace)[0].run_id, "step": 5}


def test_the_change_of_a_prompt_is_shown_line_by_line(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, "Write a draft.", "Write a short draft.")
    run_six(mco)
    said = mco("why", "last", "rev")

    assert said.code == 0
    assert str(said) == (
        "exit 0\n"
        "--- stdout\n"
        "step 5 of [RUN], review: ran\n"
        "  why            the answer of draft (step 3) changed\n"
        "  compared with  step 5 of [RUN] [AGO]\n"
        "\n"
        "prompt: 1 line added, 1 removed\n"
        "@@ -1,3 +1,3 @@\n"
        " Review this:\n"
        "-echo:Write a draft.\n"
        "+echo:Write a short draft.\n"
        " Be kind.\n"
        "--- stderr\n"
    )


def test_changing_a_file_runs_the_two_steps_that_read_it(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    (workspace / "src" / "a.py").write_text("a = 2\n")
    (workspace / "README").write_text("nobody reads this\n")
    run_six(mco)

    assert ran(mco) == {"facts": "files", "check": "files"}
    assert told(mco)["facts"]["files"]["changed"] == ["src/a.py"]
    assert "facts    ran     src/a.py changed\n" in mco("why").stdout


def test_files_whose_manifest_is_gone_are_not_named(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    for kept in (workspace / ".mco" / "manifests").iterdir():
        kept.unlink()
    (workspace / "src" / "b.py").write_text("b = 2\n")
    run_six(mco)

    assert "facts    ran     files changed; which ones is no longer known\n" in mco("why").stdout


def test_an_option_is_named_with_its_old_and_its_new_value(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, 'model="small"', 'model="large"')
    run_six(mco)

    assert ran(mco) == {"end": "options"}
    assert told(mco)["end"]["changes"] == [{"part": "model", "from": "small", "to": "large"}]
    assert "model: small → large" in mco("why").stdout


def test_other_files_to_read_are_an_option(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, 'label="outline", reads=[]', 'label="outline", reads=["src/**"]')
    run_six(mco)

    assert told(mco)["outline"]["changes"] == [{"part": "reads", "from": [], "to": ["src/**"]}]


def test_a_step_that_failed_before_runs_again_for_that(mco: Mco, workspace: Path) -> None:
    rules = '[[rules]]\nmatch = "Conclude"\nfail = "refused"\n'
    assert run_six(mco, rules=rules).code == 1
    run_six(mco)

    assert ran(mco) == {"end": "failed"}


@pytest.mark.parametrize(
    ("lost", "kind"), [((b"Failed",), "interrupted"), ((b"Failed", b"StepStarted"), "unbegun")]
)
def test_a_step_that_did_not_end_with_its_run_was_under_way_or_waited(
    mco: Mco, workspace: Path, lost: tuple[bytes, ...], kind: str
) -> None:
    (workspace / "alone.py").write_text(ALONE)
    mco("run", "alone.py", "--provider", "fake", rules='[[rules]]\nfail = "refused"\n')
    journal = folders(workspace)[0].journal
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(
        b"".join(line for line in lines if not any(each in line for each in (*lost, b"RunFinished")))
    )
    mco("run", "alone.py", "--provider", "fake")

    assert ran(mco) == {"greet": kind}


def test_an_answer_that_is_too_old_has_expired(mco: Mco, clock: Hours) -> None:
    run_six(mco)
    clock.pass_by(31 * 86400)
    run_six(mco)

    assert ran(mco) == dict.fromkeys(STEPS, "expired")


def test_what_was_asked_anew_on_purpose_says_so(mco: Mco, workspace: Path) -> None:
    edit(workspace, 'label="outline", ', 'label="outline", cache=False, ')
    run_six(mco)
    run_six(mco)
    assert ran(mco) == {"outline": "uncached"}

    run_six(mco, "--fresh")
    assert ran(mco) == dict.fromkeys(STEPS, "forced")


def test_a_step_under_another_label_is_found_by_its_prompt(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, 'label="end", reads=[], model="small"', 'label="conclusion", reads=[], model="large"')
    run_six(mco)

    assert ran(mco) == {"conclusion": "options"}


def test_the_nearest_run_is_the_one_that_was_resumed(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    first = folders(workspace)[0].run_id
    edit(workspace, "Conclude.", "Conclude well.")
    run_six(mco)
    edit(workspace, "Conclude well.", "Conclude better.")
    mco("resume", first)

    assert told(mco)["end"]["earlier"]["run_id"] == first


def test_a_run_of_another_workflow_is_not_looked_at(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    (workspace / "other.py").write_text(SIX.replace('"six"', '"other"').replace("Conclude.", "Finish."))
    mco("run", "other.py", "--provider", "fake")

    assert kinds(mco)["end"] == "new"


def test_what_a_reused_step_had_asked_is_found_where_it_ran(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    run_six(mco)  # all reused: no line of its own
    edit(workspace, 'model="small"', 'model="large"')
    run_six(mco)

    assert told(mco)["end"]["changes"] == [{"part": "model", "from": "small", "to": "large"}]


def test_a_record_without_parts_does_not_guess(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    folders(workspace)[0].step_file.write_bytes(b'{"step":6,"label":"end","prom\xff\n[]\n{"step":1}')
    edit(workspace, 'model="small"', 'model="large"')
    run_six(mco)

    assert ran(mco) == {"end": "unknown"}


def test_an_answer_that_was_lost_is_not_called_a_change(
    mco: Mco, workspace: Path, hermetic_environment: Path
) -> None:
    (workspace / "alone.py").write_text(ALONE)
    mco("run", "alone.py", "--provider", "fake")
    for path in (hermetic_environment / "cache").rglob("cache.db*"):
        path.unlink()
    mco("run", "alone.py", "--provider", "fake")

    assert ran(mco) == {"greet": "dropped"}


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("draught", "hint: there is 'draft'"), ("7", "hint: mco why "), ("", "hint: mco why ")],
)
def test_a_step_that_is_not_there_is_answered_with_the_nearest(mco: Mco, asked: str, hint: str) -> None:
    run_six(mco)
    said = mco("why", "last", asked)

    assert said.code == 2
    assert f"the run has no step {asked!r}" in said.stderr
    assert hint in said.stderr


def test_a_step_without_its_run_is_answered_with_the_whole_command(mco: Mco) -> None:
    run_six(mco)
    step, nothing = mco("why", "draft"), mco("why", "nothing")

    assert (step.code, nothing.code) == (2, 2)
    assert "there is no run 'draft'" in step.stderr
    assert "hint: the newest run has a step of that name: mco why last draft" in step.stderr
    assert "hint: the newest is " in nothing.stderr


def test_the_beginning_of_several_labels_names_them(mco: Mco, workspace: Path) -> None:
    edit(workspace, 'label="end"', 'label="drafty"')
    run_six(mco)
    assert told(mco, "last", "draft").keys() == {"draft"}
    said = mco("why", "last", "dra")

    assert "several steps begin with 'dra'" in said.stderr
    assert "hint: there is 'draft', 'drafty'" in said.stderr


def test_labels_and_files_cannot_steer_a_terminal(mco: Mco, workspace: Path) -> None:
    edit(workspace, "Write a draft.", "Write\\x1b[2J a draft.")
    edit(workspace, 'label="draft"', 'label="dr\\x1b]0;owned\\x07aft"')
    run_six(mco)
    edit(workspace, "a draft.", "another draft.")
    run_six(mco)

    for command in (("why",), ("why", "last", "3"), ("show", "last"), ("diff", folders(workspace)[0].run_id)):
        said = mco(*command)
        assert said.code == 0
        assert not {"\x1b", "\x07"} & set(said.stdout + said.stderr)


def test_without_colour_and_with(mco: Mco, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_six(mco)
    edit(workspace, "Write a draft.", "Write a short draft.")
    run_six(mco)

    assert "\x1b" not in mco("why", "last", "draft").stdout
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b" not in mco("why", "last", "draft").stdout  # a pipe


def test_a_step_that_may_write_files_is_not_found_again(mco: Mco, workspace: Path) -> None:
    edit(workspace, 'label="outline", ', 'label="outline", access="write", ')
    run_six(mco, "--access", "write")
    run_six(mco, "--access", "write")

    assert kinds(mco)["outline"] == "writes"


def test_a_step_that_was_refused_before_it_was_sent_says_why(mco: Mco, workspace: Path) -> None:
    (workspace / "alone.py").write_text(ALONE.replace("reads=[]", 'reads=[], provider="nobody"'))
    mco("run", "alone.py", "--provider", "fake")

    assert kinds(mco) == {"greet": "unsent"}
    assert "never sent: " in mco("why").stdout


def test_a_step_that_was_never_sent_before_had_failed(mco: Mco, workspace: Path) -> None:
    (workspace / "alone.py").write_text(ALONE.replace("reads=[]", 'reads=[], provider="nobody"'))
    mco("run", "alone.py", "--provider", "fake")
    (workspace / "alone.py").write_text(ALONE)
    mco("run", "alone.py", "--provider", "fake")

    assert kinds(mco) == {"greet": "failed"}


def test_lines_of_steps_that_nobody_wrote_do_no_harm(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    hostile = [
        b'{"step":1,"parts":{"prompt":[],"model":{"a":[1]}},"miss":"\\u001b[2J","reads":null,"key":"x"}',
        b'{"step":999999999,"prompt":"x"}',
        b'{"step":3,' + b"[" * 100_000,
        b'{"step":6,"prompt":"x","parts":[],"answer":NaN}',
    ]
    folders(workspace)[0].step_file.write_bytes(b"\n".join(hostile) + b'\n{"step":5,"prom')
    edit(workspace, 'model="small"', 'model="large"')
    edit(workspace, "Outline it.", "Outline it well.")
    run_six(mco)

    assert set(ran(mco)) >= {"outline", "end"}
    for command in (("why",), ("why", "last", "outline"), ("show", "last")):
        said = mco(*command)
        assert said.code == 0
        assert "\x1b" not in said.stdout


def test_a_number_that_nobody_counts_to_is_no_step(mco: Mco) -> None:
    run_six(mco)

    assert mco("why", "last", "9" * 5_000).code == 2


def test_the_nearest_answer_is_named_of_several_that_changed(mco: Mco, workspace: Path) -> None:
    edit(workspace, "Write a draft.", "Write a draft of {outline}.")
    edit(workspace, '    await agent("Outline', '    outline = await agent("Outline')
    edit(workspace, 'await agent("Write', 'await agent(f"Write')
    run_six(mco)
    edit(workspace, "Outline it.", "Outline it well.")
    run_six(mco)

    reasons = told(mco)
    assert ran(mco) == {"outline": "prompt", "draft": "upstream", "review": "upstream"}
    assert [reasons[label]["upstream"]["label"] for label in ("draft", "review")] == ["outline", "draft"]


def test_an_answer_inside_a_list_is_recognised(mco: Mco, workspace: Path) -> None:
    edit(workspace, "{draft}", "{[draft, 1]}")
    run_six(mco)
    edit(workspace, "Write a draft.", 'Write it\'s \\"draft\\".')
    run_six(mco)

    assert ran(mco) == {"draft": "prompt", "review": "upstream"}


def test_a_record_that_lost_what_a_reason_needs_says_so(mco: Mco, workspace: Path) -> None:
    rules = f'[[rules]]\nmatch = "^Write a"\nreply = "{"a" * LONG}"\n'
    run_six(mco, rules=rules)
    edit(workspace, "Write a draft.", "Write a short draft.")
    run_six(mco, rules=rules.replace("aaa", "bbb"))
    assert ran(mco) == {"draft": "prompt", "review": "upstream"}
    old, new = folders(workspace)

    next(old.steps.glob("*-draft.answer.txt")).unlink()
    said = mco("why")
    assert "review   ran     prompt changed\n" in said.stdout
    assert "warning: [RUN]: the answer of step 3 cannot be read (steps/3-draft.answer.txt)\n" in str(said)

    new.step_file.unlink()
    said = mco("why")
    assert "warning: [RUN]: what step 3 was asked cannot be read (steps.jsonl)\n" in str(said)


def test_without_the_line_that_says_why_an_equal_step_ran_nothing_is_made_up(
    mco: Mco, workspace: Path
) -> None:
    run_six(mco)
    run_six(mco, "--fresh")
    folders(workspace)[1].step_file.unlink()

    assert ran(mco) == dict.fromkeys(STEPS, "lost")
    assert "warning: 3 more parts of these records cannot be read\n" in mco("why").stderr
