"""The commands around a run: list, show, check, new, runs, watch, resume, doctor, completion, and wrong usage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.console import ROOT, Mco

FAKE = ("--provider", "fake")


def test_list_shows_where_each_is_what_it_hides_and_what_is_broken(mco: Mco, project: Path) -> None:
    own = project / ".mco" / "workflows"
    own.mkdir(parents=True)
    (own / "review-code.py").write_text(
        'meta = {"name": "review-code", "description": "mine"}\n\nasync def main(args):\n    return 1\n'
    )
    (own / "bad.py").write_text("class A: pass\n")
    said = mco("list")

    assert said.code == 0
    rows = {line.split()[0]: line for line in said.stdout.splitlines()}
    assert "project (hides 1 of this name)" in rows["review-code"]
    assert rows["review-code"].endswith("mine")
    assert "broken: " in rows["bad"]
    assert "built-in" in rows["deep-research"]


def test_list_as_json_names_the_files(mco: Mco) -> None:
    found = {one["name"]: one for one in json.loads(mco("list", "--json").stdout)}

    assert found["review-code"]["origin"] == "built-in"
    assert Path(found["review-code"]["path"]).is_file()


def test_show_says_what_a_workflow_takes(mco: Mco, hello: Path) -> None:
    assert str(mco("show", "hello.py")) == (
        "exit 0\n"
        "--- stdout\n"
        "hello: greets\n\n"
        "where: [FOLDER]/hello.py (file)\n\n"
        "phases:\n"
        "  Greet  one by one\n\n"
        "arguments (2 names):\n"
        '  who    string   default "you"\n'
        "  times  integer  required\n\n"
        "run it with: mco run hello.py -a times=…\n"
        "--- stderr\n"
    )


def test_show_source_is_the_exact_text(mco: Mco, hello: Path) -> None:
    assert mco("show", "hello.py", "--source").stdout == hello.read_text(encoding="utf-8")


def test_check_names_every_problem_with_its_place(mco: Mco, project: Path) -> None:
    (project / "bad.py").write_text(
        'meta = {"name": "bad", "description": "x"}\n\nclass A:\n    pass\n\nasync def main(args):\n    import os\n'
    )
    said = mco("check", "bad.py")

    assert said.code == 2
    assert "[FOLDER]/bad.py:3:1: " in str(said)
    assert "    class A:\n    ^\n    hint: " in said.stdout
    assert "[FOLDER]/bad.py:7:5: " in str(said)
    assert str(said).endswith("[FOLDER]/bad.py: 2 problems\n")


def test_the_caret_of_a_long_line_stands_under_its_place(mco: Mco, project: Path) -> None:
    (project / "bad.py").write_text(
        'meta = {"name": "bad", "description": "x"}\n\nasync def main(args):\n'
        f"    return [{'args, ' * 30}open, {'args, ' * 30}]\n"
    )
    shown = mco("check", "bad.py").stdout.splitlines()

    assert max(map(len, shown[1:3])) < 80
    assert shown[1][shown[2].index("^") :].startswith("open, ")


def test_check_as_json_has_the_same_problems(mco: Mco, project: Path) -> None:
    (project / "bad.py").write_text("def f(:\n")
    said = mco("check", "bad.py", "--json")

    assert said.code == 2
    (problem,) = json.loads(said.stdout)["problems"]
    assert problem["line"] == 1


def test_check_refuses_arguments_that_are_no_schema(mco: Mco, project: Path) -> None:
    (project / "bad.py").write_text(
        'meta = {"name": "bad", "description": "x", "args": {"type": "thing"}}\n\n'
        "async def main(args):\n    return 1\n"
    )
    said = mco("check", "bad.py")

    assert said.code == 2
    assert "meta's `args` is no schema" in said.stdout


def test_check_finds_nothing_wrong_with_a_good_script(mco: Mco, hello: Path) -> None:
    assert str(mco("check", "hello.py")) == "exit 0\n--- stdout\n--- stderr\n[FOLDER]/hello.py: no problems\n"


def test_a_file_that_is_not_utf8_says_where(mco: Mco, project: Path) -> None:
    (project / "latin.py").write_bytes(b"# caf\xe9\n")
    said = mco("run", "latin.py")

    assert said.code == 2
    assert "UTF-8" in said.stderr


def test_a_folder_is_no_script(mco: Mco, project: Path) -> None:
    (project / "folder.py").mkdir()

    assert "that is a folder" in mco("run", "folder.py").stderr


def test_new_makes_a_workflow_that_runs_and_never_overwrites(mco: Mco, project: Path) -> None:
    made = mco("new", "my-flow")
    path = project / ".mco" / "workflows" / "my-flow.py"
    assert made.code == 0
    assert "mco run my-flow" in made.stderr
    assert mco("check", "my-flow").code == 0
    (project / "app.py").write_text("import os\n")

    said = mco("run", "my-flow", "--provider", "builtin")
    assert said.code == 0
    assert said.stdout.startswith("# Review of .\n")

    path.write_text("mine")
    assert mco("new", "my-flow").code == 2
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["My Flow", "../escape", "", "-x"])
def test_new_refuses_what_is_no_name(mco: Mco, project: Path, name: str) -> None:
    assert mco("new", "--", name).code == 2
    assert not (project / ".mco").exists()


def test_runs_tells_of_each_run_and_of_what_is_damaged(mco: Mco, hello: Path, project: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE)
    (project / ".mco" / "runs" / "20200101-000000-0000").mkdir()
    said = mco("runs")

    first, second = said.stdout.splitlines()[1:]
    assert first.split()[1:3] == ["hello", "done"]
    assert "it has no journal" in second


def test_runs_of_an_empty_workspace_says_how_to_begin(mco: Mco) -> None:
    said = mco("runs")

    assert (said.code, said.stdout) == (0, "")
    assert "mco run" in said.stderr


def test_watch_replays_a_finished_run(mco: Mco, hello: Path) -> None:
    ran = mco("run", "hello.py", "-a", "times=1", *FAKE)
    watched = mco("watch")

    assert watched.code == 0
    assert watched.stderr.splitlines()[:-1] == ran.stderr.splitlines()[:-1]


def test_watch_says_when_a_run_died(mco: Mco, hello: Path, project: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE)
    (journal,) = project.glob(".mco/runs/*/journal.jsonl")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    said = mco("watch")

    assert "its process ended without a word" in said.stderr
    assert "interrupted" in said.stderr
    assert "interrupted" in mco("runs").stdout


def test_watch_says_how_to_take_up_what_was_stopped(mco: Mco, hello: Path, project: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE)
    (journal,) = project.glob(".mco/runs/*/journal.jsonl")
    journal.write_text(journal.read_text().replace('"status":"done"', '"status":"cancelled"'))
    run = journal.parent.name

    assert f"it was stopped; take it up again with: mco resume {run}\n" in mco("watch").stderr


def test_resume_reuses_what_was_finished_and_knows_its_parent(mco: Mco, hello: Path, project: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE)
    (first,) = project.glob(".mco/runs/*")
    said = mco("resume", "last")

    assert said.code == 0
    assert f"resumes {first.name}" in said.stderr
    assert "1 step · 1 reused" in said.stderr


def test_resume_says_when_the_run_was_allowed_more(mco: Mco, hello: Path, project: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE, "--access", "write")
    (first,) = project.glob(".mco/runs/*")
    note = f"that run was allowed write access, this one read; to allow it again: mco resume {first.name} "

    assert f"{note}--access write\n" in mco("resume", first.name).stderr
    assert "was allowed" not in mco("resume", first.name, "--access", "write").stderr


def test_a_run_that_is_gone_or_was_never_there_is_named(mco: Mco, hello: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE)

    assert "there is no run 'nope'" in mco("resume", "nope").stderr


def test_resume_without_its_script_points_at_the_kept_one(mco: Mco, hello: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE)
    hello.unlink()
    said = mco("resume", "last")

    assert said.code == 2
    assert "script.py" in said.stderr


def test_doctor_has_tried_everything(mco: Mco) -> None:
    said = mco("doctor", "--json")

    found = json.loads(said.stdout)
    assert said.code == 0
    assert found["sandbox"]["ok"] is True
    assert found["sandbox"]["layers"]
    assert found["providers"]["builtin"]["ok"] is True
    assert found["settings"]["access"] == {"value": "read", "from": "default"}
    assert all(folder["ok"] for folder in found["folders"].values())


def test_doctor_shows_where_settings_would_be_read_from(mco: Mco, project: Path) -> None:
    said = mco("doctor")

    assert f"{project / '.mco' / 'config.toml'}  not there, and need not be" in said.stdout
    assert "; says of its answers: no language model was used" in said.stdout


def test_doctor_says_which_setting_is_wrong(mco: Mco) -> None:
    said = mco("doctor", environment={"MCO_MAX_PARALLEL": "lots"})

    assert said.code == 1
    assert "max_parallel" in said.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(real_mco: Mco, shell: str) -> None:
    said = real_mco("completion", shell)

    assert said.code == 0
    assert "_MCO_COMPLETE" in said.stdout


def test_the_shell_is_offered_workflows(real_mco: Mco) -> None:
    said = real_mco(
        environment={"_MCO_COMPLETE": "bash_complete", "COMP_WORDS": "mco run rev", "COMP_CWORD": "2"}
    )

    assert said.stdout == "plain,review\nplain,review-code\n"


def test_help_names_every_command(real_mco: Mco) -> None:
    said = real_mco("--help")

    assert said.code == 0
    for name in (
        "run",
        "list",
        "show",
        "check",
        "new",
        "runs",
        "watch",
        "resume",
        "doctor",
        "providers",
        "completion",
    ):
        assert f"\n  {name} " in said.stdout


def test_the_command_alone_is_helped_and_not_scolded(mco: Mco) -> None:
    said = mco()

    assert said.code == 2
    assert said.stderr.startswith("Usage: mco ")
    assert "hint" not in said.stderr


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        (["runn"], "there is no command 'runn'", "did you mean `mco run`?"),
        (
            ["run"],
            "there is nothing to run",
            'name a workflow (`mco list` shows them), or ask with --prompt "…" --providers claude,codex',
        ),
        (["run", "x.py", "--fres"], "No such option '--fres'", "mco run --help"),
        (["run", "x.py", "--access", "root"], "Invalid value for '--access'", "mco run --help"),
    ],
)
def test_wrong_usage_is_one_error_and_a_hint(mco: Mco, line: list[str], error: str, hint: str) -> None:
    said = mco(*line)

    assert said.code == 2
    assert said.stderr.startswith(f"error: {error}")
    assert said.stderr.endswith(f"\n\nhint: {hint}\n")


def test_resume_keeps_to_the_ceilings_that_the_run_had(mco: Mco, hello: Path, project: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE, "--budget", "7k")
    ceilings: list[object] = []
    for more in ((), ("--budget", "9k")):
        mco("resume", "last", *more)
        newest = max(project.glob(".mco/runs/*/run.json"), key=lambda path: path.stat().st_mtime_ns)
        ceilings.append(json.loads(newest.read_bytes())["settings"]["budget"])

    assert ceilings == [7_000, 9_000]


def test_help_loads_nothing_that_only_runs_need(project: Path) -> None:
    program = (
        "import sys; from workflows.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('pydantic', 'asyncio', 'rich', 'diskcache') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"
