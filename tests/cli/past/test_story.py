"""`mco show RUN`: the whole story of a run."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.console import Mco
from tests.cli.past.six import ALONE, SIX, edit, folders, run_six

SAYING = """\
meta = {"name": "saying", "description": "says what it does", "phases": [{"title": "Ask"}, {"title": "Never"}]}

async def main(args):
    phase("Ask")
    log("asking", who=args["who"])
    return await agent(f"hello {args['who']}", label="greet", reads=[])
"""


def test_a_run_is_told_from_its_arguments_to_the_way_on(mco: Mco, workspace: Path) -> None:
    (workspace / "saying.py").write_text(SAYING)
    rules = "[[rules]]\nusage = { input_tokens = 900, output_tokens = 100, cost = 0.5 }\n"
    mco("run", "saying.py", "--provider", "fake", "-a", "who=you", rules=rules)

    assert str(mco("show", "last")) == (
        "exit 0\n"
        "--- stdout\n"
        "saying  run [RUN]  done\n"
        "\n"
        "  what       says what it does\n"
        "  started    2026-11-21 10:55:57 UTC [AGO]\n"
        "  took       [TIME]\n"
        '  arguments  {"who": "you"}\n'
        "  steps      1 step\n"
        "  spent      1k tokens · $0.50\n"
        "  note       answered by the fake provider (fake)\n"
        "\n"
        "Ask  1 step\n"
        "  1  greet  ran  fake  [TIME]  1k  $0.50  new, by its label and by its prompt\n"
        "\n"
        "Never  never entered\n"
        "\n"
        "log\n"
        "  +[TIME]  asking who=you\n"
        "\n"
        "  folder    .mco/runs/[RUN]\n"
        "  report    .mco/runs/[RUN]/summary.md\n"
        "  one step  mco why [RUN] STEP\n"
        "--- stderr\n"
    )


def test_a_step_without_an_answer_says_why_and_the_way_on_is_named(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, "Conclude.", "Conclude well.")
    run_six(mco, rules='[[rules]]\nmatch = "Conclude"\nfail = "refused"\nmessage = "not today"\n')
    said = mco("show", "last")

    assert "refused: not today (it ran because: prompt changed)" in said.stdout
    assert f"  go on     mco resume {folders(workspace)[1].run_id}\n" in said.stdout
    assert "\nerror: " in said.stdout


def test_a_run_as_json_has_its_steps_with_their_reasons(mco: Mco) -> None:
    run_six(mco)
    run_six(mco)
    document = json.loads(mco("show", "last", "--json").stdout)

    assert document["status"] == "done"
    assert {step["kind"] for step in document["steps"]} == {"reused"}
    assert [step["label"] for step in document["steps"]][:2] == ["outline", "facts"]


def test_the_script_of_a_run_is_the_one_that_ran(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    edit(workspace, "Conclude.", "Conclude well.")

    assert mco("show", "last", "--source").stdout == SIX


def test_a_workflow_wins_over_a_run_of_that_name(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    own = workspace / ".mco" / "workflows"
    own.mkdir()
    (own / "last.py").write_text(ALONE)

    assert mco("show", "last").stdout.startswith("last: one step\n")
    assert mco("show", folders(workspace)[0].run_id).stdout.startswith("six  run ")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("nope",), "there is no workflow named 'nope'"),
        (("1999",), "there is no run '1999'"),
        (("last", "--source", "--json"), "--source and --json both want stdout"),
        (("six.py", "--format", "sarif"), "a workflow has no findings, only its runs do"),
        (("last", "--format", "sarif"), "the result has no findings to write as sarif"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(mco: Mco, arguments: tuple[str, ...], what: str) -> None:
    run_six(mco)
    said = mco("show", *arguments)

    assert (said.code > 0, said.stdout) == (True, "")
    assert what in said.stderr


def test_a_damaged_run_tells_what_can_be_read(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    (folder,) = folders(workspace)
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join([*lines[:4], b'{"kind":"StepFin\xff\n', *lines[4:-1], b'{"torn']))
    folder.step_file.unlink()
    said = mco("show", "last")

    assert said.code == 0
    assert "  interrupted\n" in said.stdout
    assert "warning: 1 line of the journal of" in said.stderr
    assert "its last line is torn" in said.stderr


def test_what_only_a_newer_mco_can_tell_is_counted_and_is_no_damage(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    (folder,) = folders(workspace)
    first, *lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join([first, b'{"seq":2,"at":1.0,"kind":"StepMoved"}\n', *lines]))
    said = mco("show", "last")

    assert said.code == 0
    assert "note: a newer mco took part in " in said.stderr
    assert ": 1 event of its own kind cannot be shown" in said.stderr
    assert "warning" not in said.stderr


def test_a_run_without_a_journal_is_an_error_and_no_traceback(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    folders(workspace)[0].journal.unlink()
    said = mco("show", "last")

    assert said.code == 1
    assert "cannot be read" in said.stderr
    assert "why: it has no journal" in said.stderr
    again = f"mco resume {folders(workspace)[0].run_id}"
    assert f"hint: run it again with: {again}; finished steps are reused" in said.stderr
    assert "6 reused" in mco(*again.split()[1:]).stderr


def test_a_run_that_has_not_told_what_it_is_cannot_be_watched(mco: Mco, workspace: Path) -> None:
    run_six(mco)
    folders(workspace)[0].journal.write_bytes(b"")
    said = mco("watch", "last")

    assert said.code == 1
    assert "why: its journal does not begin with RunStarted" in said.stderr
    assert "interrupted" not in said.stderr


def test_the_steps_are_counted_once_where_there_are_no_phases(mco: Mco) -> None:
    run_six(mco)

    assert mco("show", "last").stdout.count("6 steps") == 1


@pytest.mark.parametrize("moment", ["1e300", "NaN", "-5", "1e999"])
def test_a_journal_with_impossible_times_breaks_nothing(mco: Mco, workspace: Path, moment: str) -> None:
    run_six(mco)
    (folder,) = folders(workspace)
    text = re.sub(r'"(at|seconds)":[0-9.]+', rf'"\1":{moment}', folder.journal.read_text())
    folder.journal.write_text(text)

    for command in (("show", "last"), ("why",), ("runs",)):
        said = mco(*command)
        assert said.code in (0, 1)
        assert "bug in mco" not in said.stderr


WRITER = """\
meta = {"name": "writer", "description": "writes in a worktree"}

async def main(args):
    return await agent("Write.", label="write", access="write", isolation="worktree", provider="scribe")
"""


def test_a_patch_is_counted_and_the_way_to_it_named(
    mco: Mco, workspace: Path, hermetic_environment: Path
) -> None:
    commit = "git add --all && git commit --quiet --message first"
    subprocess.run(["sh", "-c", commit], cwd=workspace, check=True)
    settings = hermetic_environment / "config" / "mco" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        'access = "write"\n[providers.scribe]\ncommand = ["sh", "-c", "echo b = 2 > src/b.py; echo done"]\n'
        'access = ["read", "write"]\n'
    )
    (workspace / "writer.py").write_text(WRITER)
    assert mco("run", "writer.py").code == 0
    said = mco("show", "last")

    assert "1 patch: 1 file, +1 −0 lines" in said.stdout
    assert f"  patches   mco patches {folders(workspace)[0].run_id}\n" in said.stdout
    (step,) = json.loads(mco("show", "last", "--json").stdout)["steps"]
    assert step["patch"] == {"patches": 1, "files": 1, "added": 1, "removed": 0}
