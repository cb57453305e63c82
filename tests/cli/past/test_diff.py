"""`mco diff`: two real runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

from engine.record.lock import RunLock
from engine.record.long_text import LONG
from tests.cli.console import Mco
from tests.cli.past.six import ALONE, edit, folders, run_six


def test_two_runs_are_compared_step_by_step(mco: Mco, workspace: Path) -> None:
    rules = "[[rules]]\nusage = {{ input_tokens = {}, output_tokens = 0, cost = {} }}\n"
    run_six(mco, rules=rules.format(100, 0.25))
    edit(workspace, "Write a draft.", "Write a short draft.")
    edit(workspace, 'model="small"', 'model="large"')
    edit(workspace, 'label="outline"', 'label="plan"')
    run_six(mco, rules=rules.format(300, 0.5))
    old, new = (folder.run_id for folder in folders(workspace))

    assert str(mco("diff", old, new)) == (
        "exit 0\n"
        "--- stdout\n"
        "old  [RUN]  six  done  2m ago\n"
        "new  [RUN]  six  done  1m ago\n"
        "\n"
        "STEP     CHANGED         TIME         TOKENS     COST\n"
        "plan     added           – → reused\n"
        "draft    prompt, answer  [TIME] → [TIME]  100 → 300  $0.25 → $0.50\n"
        "review   prompt, answer  [TIME] → [TIME]  100 → 300  $0.25 → $0.50\n"
        "end      model           [TIME] → [TIME]  100 → 300  $0.25 → $0.50\n"
        "outline  gone            [TIME] → –     100 → –    $0.25 → –\n"
        "in all                   [TIME] → [TIME]  600 → 900  $1.50 → $1.50\n"
        "\n"
        "script     changed\n"
        "arguments  the same\n"
        "result     the same\n"
        "end        model: small → large\n"
        "--- stderr\n"
        "2 steps without a difference; --all shows them as well\n"
    )


def test_the_other_run_is_the_newest_of_the_same_workflow(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    run_six(mco, "--fresh")
    (workspace / "alone.py").write_text(ALONE)
    mco("run", "alone.py", "--provider", "fake")
    old, new, _ = (folder.run_id for folder in folders(workspace))

    assert json.loads(mco("diff", old, "--json").stdout)["new"]["run_id"] == new


def test_a_difference_as_json_has_both_sides_of_each_step(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, 'model="small"', 'model="large"')
    run_six(mco, rules='[[rules]]\nmatch = "Conclude"\nfail = "refused"\n')
    document = json.loads(mco("diff", folders(workspace)[0].run_id, "--json").stdout)

    (end,) = [step for step in document["steps"] if step["changed"]]
    assert (end["label"], end["changed"]) == ("end", ["model", "state"])
    assert (end["old"]["state"], end["new"]["state"]) == ("finished", "failed")
    assert (document["old"]["status"], document["new"]["status"]) == ("done", "failed")
    assert (document["script_changed"], document["args_changed"], document["result_changed"]) == (
        True, False, True,
    )  # fmt: skip


def test_a_run_differs_in_nothing_from_itself(mco: Mco) -> None:
    run_six(mco)
    said = mco("diff", "last", "last")

    assert said.code == 2
    assert "both are the run" in said.stderr


def test_without_a_run_the_newest_is_compared_with_the_one_before_it(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    assert "is the only run of 'six' here" in mco("diff").stderr
    run_six(mco)
    old, new = (folder.run_id for folder in folders(workspace))
    document = json.loads(mco("diff", "--json").stdout)

    assert (document["old"]["run_id"], document["new"]["run_id"]) == (old, new)


def test_of_a_run_that_goes_on_the_result_is_not_known_yet(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    run_six(mco)
    new = folders(workspace)[1]
    new.result.unlink()
    lines = new.journal.read_bytes().splitlines(keepends=True)
    new.journal.write_bytes(b"".join(lines[:-1]))
    with RunLock(new.lock):
        document = json.loads(mco("diff", "--json").stdout)

    assert (document["new"]["status"], document["result_changed"]) == ("running", None)


def test_all_steps_are_shown_when_that_is_asked(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    run_six(mco)
    said = mco("diff", folders(workspace)[0].run_id, "last", "--all")

    assert [line.split()[1] for line in said.stdout.splitlines()[4:10]] == ["same"] * 6
    assert said.stderr == ""


def test_an_answer_that_came_out_otherwise_is_a_change(mco: Mco, workspace: Path) -> None:
    run_six(mco, rules='[[rules]]\nmatch = "Outline"\nreply = "one"\n')
    run_six(mco, "--fresh", rules='[[rules]]\nmatch = "Outline"\nreply = "two"\n')
    document = json.loads(mco("diff", folders(workspace)[0].run_id, "--json").stdout)

    assert {step["label"]: step["changed"] for step in document["steps"] if step["changed"]} == {
        "outline": ["answer"]
    }


def test_a_long_answer_that_changed_is_told_and_one_that_is_gone_is_not_held_against_it(
    mco: Mco, workspace: Path
) -> None:
    rules = '[[rules]]\nmatch = "^Write a draft"\nreply = "{}"\n'
    run_six(mco, "--fresh", rules=rules.format("a" * LONG))
    run_six(mco, "--fresh", rules=rules.format("a" * (LONG - 1) + "b"))
    assert _changed(mco) == {"draft": ["answer"], "review": ["prompt", "answer"]}

    run_six(mco, "--fresh", rules=rules.format("a" * (LONG - 1) + "b"))
    assert _changed(mco) == {}
    first, second, _ = (next(folder.steps.glob("*-draft.answer.txt")) for folder in folders(workspace))
    assert first.read_text() == "a" * LONG
    second.unlink()
    assert _changed(mco) == {}
    lost = f"{second.parent.parent.name}: the answer of step 3 cannot be read (steps/{second.name})"
    assert f"warning: {lost}\n" in mco("diff").stderr


def test_of_a_long_answer_that_is_gone_the_beginning_still_tells(mco: Mco, workspace: Path) -> None:
    rules = '[[rules]]\nmatch = "^Write a draft"\nreply = "{}"\n'
    run_six(mco, "--fresh", rules=rules.format("a" * LONG))
    run_six(mco, "--fresh", rules=rules.format("b" * LONG))
    next(folders(workspace)[0].steps.glob("*-draft.answer.txt")).unlink()
    assert _changed(mco)["draft"] == ["answer"]


def _changed(mco: Mco) -> dict[str, list[str]]:
    steps = json.loads(mco("diff", "--json").stdout)["steps"]
    return {step["label"]: step["changed"] for step in steps if step["changed"]}
