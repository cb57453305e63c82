"""`mco run`: what goes to stdout, what to stderr, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.console import ROOT, Mco

FAKE = ("--provider", "fake")


def test_a_run_leaves_its_report_on_stdout_and_talks_on_stderr(real_mco: Mco, hello: Path) -> None:
    said = real_mco("run", "hello.py", "-a", "times=2", *FAKE)

    assert str(said) == (
        "exit 0\n"
        "--- stdout\n"
        "# Said\n\n"
        "echo:hello 0, you\n"
        "echo:hello 1, you\n"
        "--- stderr\n"
        "hello  run [RUN]\n"
        "phase Greet\n"
        "  log  starting who=you\n"
        "  finished  greeting 0  (fake, [TIME], – tokens)\n"
        "  finished  greeting 1  (fake, [TIME], – tokens)\n"
        "note: answered by the fake provider (fake)\n"
        "run [RUN] done · 2 steps · [TIME] · – tokens\n"
        ".mco/runs/[RUN]\n"
    )


def test_a_second_run_reuses_and_says_so(mco: Mco, hello: Path) -> None:
    mco("run", "hello.py", "-a", "times=1", *FAKE)
    said = mco("run", "hello.py", "-a", "times=2", *FAKE)

    assert "  reused  greeting 0  (from [RUN] [AGO])\n  finished  greeting 1" in str(said)
    assert "2 steps · 1 reused" in str(said)


def test_json_is_one_document(mco: Mco, hello: Path) -> None:
    said = mco("run", "hello.py", "-a", "times=1", "--json", *FAKE)

    document = json.loads(said.stdout)
    assert list(document) == [
        "run_id",
        "workflow",
        "status",
        "result",
        "error",
        "steps",
        "usage",
        "seconds",
        "folder",
    ]
    assert (document["status"], document["steps"]["finished"]) == ("done", 1)
    assert document["usage"]["input_tokens"] is None


def test_the_stream_is_the_journal(mco: Mco, hello: Path, project: Path) -> None:
    said = mco("run", "hello.py", "-a", "times=1", "--stream", "jsonl", *FAKE)

    (journal,) = project.glob(".mco/runs/*/journal.jsonl")
    assert said.stdout == journal.read_text(encoding="utf-8")


def test_two_masters_of_stdout_are_refused(mco: Mco, hello: Path) -> None:
    said = mco("run", "hello.py", "--json", "--stream", "jsonl")

    assert str(said) == (
        "exit 2\n--- stdout\n--- stderr\n"
        "error: --json and --stream both want stdout\n\nhint: choose one of them\n"
    )


def test_wrong_arguments_are_refused_before_anything_is_kept(mco: Mco, hello: Path, project: Path) -> None:
    said = mco("run", "hello.py", "-a", "times=many", *FAKE)

    assert said.code == 2
    assert '"many" is not of type "integer"' in said.stderr
    assert "hint: it takes who (string), times (integer, required)" in said.stderr
    assert not (project / ".mco").exists()


def test_a_refusal_is_a_document_too(mco: Mco, hello: Path) -> None:
    said = mco("run", "hello.py", "--json", *FAKE)

    assert json.loads(said.stdout)["status"] == "refused"
    assert said.stderr.startswith("error: the arguments do not fit the workflow\n")


@pytest.mark.parametrize("line", [["run", "nowhere"], ["run", "hello.py", "-a", "times"], ["resume", "nope"]])
def test_what_is_refused_before_a_script_is_read_is_a_document_too(
    mco: Mco, hello: Path, line: list[str]
) -> None:
    said = mco(*line, "--json")

    assert said.code == 2
    assert json.loads(said.stdout)["error"]["what"] in said.stderr


@pytest.mark.parametrize(
    ("content", "where", "why"),
    [
        ("{", "1:2", "Expecting property name"),
        ("[1]", "args.json", "not a JSON object"),
        ('{"times": NaN}', "args.json", "NaN is not JSON"),
    ],
)
def test_an_args_file_that_is_no_object_is_refused(
    mco: Mco, hello: Path, content: str, where: str, why: str
) -> None:
    hello.with_name("args.json").write_text(content)
    said = mco("run", "hello.py", "--args-file", "args.json", *FAKE)

    assert said.code == 2
    assert where in said.stderr
    assert why in said.stderr


def test_arguments_of_the_command_line_lie_over_those_of_the_file(
    mco: Mco, hello: Path, project: Path
) -> None:
    (project / "args.json").write_text('{"times": 1, "who": "file"}')
    said = mco("run", "hello.py", "--args-file", "args.json", "-a", "who=flag", *FAKE)

    assert said.stdout == "# Said\n\necho:hello 0, flag\n"


@pytest.mark.parametrize("pair", ["times", "=2"])
def test_an_argument_without_a_key_or_a_value_is_refused(mco: Mco, hello: Path, pair: str) -> None:
    said = mco("run", "hello.py", "-a", pair)

    assert said.code == 2
    assert "hint: write it as -a key=value" in said.stderr


def test_an_argument_that_is_not_utf8_is_refused(mco: Mco, hello: Path) -> None:
    said = mco("run", "hello.py", "-a", "who=\udcff")

    assert said.code == 2
    assert "the argument 'who' is not UTF-8" in said.stderr


def test_a_file_where_the_state_folder_should_be_is_named(mco: Mco, hello: Path, project: Path) -> None:
    (project / ".mco").write_text("")
    said = mco("run", "hello.py", "-a", "times=1", *FAKE)

    assert said.code in (1, 2)
    assert "[FOLDER]/.mco" in str(said)
    assert "bug" not in said.stderr


def test_an_unknown_name_offers_the_nearest(mco: Mco) -> None:
    said = mco("run", "revue-code")

    assert str(said) == (
        "exit 2\n--- stdout\n--- stderr\n"
        "error: there is no workflow named 'revue-code'\n\nhint: did you mean review-code or review?\n"
    )


def test_a_missing_file_is_named(mco: Mco) -> None:
    said = mco("run", "nowhere.py")

    assert str(said) == (
        "exit 2\n--- stdout\n--- stderr\n"
        "error: there is no such file\n  where: [FOLDER]/nowhere.py\n\n"
        "hint: `mco list` shows the workflows that have a name\n"
    )


def test_an_unknown_provider_is_refused_before_anything_is_kept(mco: Mco, hello: Path, project: Path) -> None:
    said = mco("run", "hello.py", "-a", "times=1", "--provider", "fak")

    assert said.code == 2
    assert "there is no provider 'fak'" in said.stderr
    assert "did you mean 'fake'?" in said.stderr
    assert not (project / ".mco").exists()


def test_a_script_that_raises_fails_with_its_line(mco: Mco, project: Path) -> None:
    (project / "broken.py").write_text(
        'meta = {"name": "broken", "description": "x"}\n\nasync def main(args):\n    return 1 // 0\n'
    )
    said = mco("run", "broken.py", *FAKE)

    assert said.code == 1
    assert said.stdout == ""
    assert "broken.py:4" in said.stderr
    assert "Traceback" not in said.stderr
    assert " failed · " in said.stderr


def test_a_result_without_a_report_is_json(mco: Mco, project: Path) -> None:
    (project / "plain.py").write_text(
        'meta = {"name": "plain", "description": "x"}\n\nasync def main(args):\n    return {"é": [1, None]}\n',
        encoding="utf-8",
    )
    said = mco("run", "plain.py", *FAKE)

    assert said.stdout == '{\n  "é": [\n    1,\n    null\n  ]\n}\n'


def test_a_ceiling_that_was_reached_has_its_own_exit_code(mco: Mco, hello: Path) -> None:
    said = mco("run", "hello.py", "-a", "times=3", *FAKE, environment={"MCO_MAX_STEPS": "2"})

    assert said.code == 5


def test_a_bug_of_ours_is_one_sentence_and_a_file(
    mco: Mco, hello: Path, monkeypatch: pytest.MonkeyPatch, hermetic_environment: Path
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("workflows.cli.commands.run.carry_out", broken)
    said = mco("run", "hello.py")

    assert said.code == 1
    assert said.stderr.startswith("error: this is a bug in mco (ZeroDivisionError)\n")
    assert "Traceback" not in said.stderr
    (kept,) = hermetic_environment.rglob("bug-*.txt")
    assert "planted" in kept.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_order(hello: Path, project: Path, number: signal.Signals) -> None:
    (project / "rules.toml").write_text('[[rules]]\nmatch = ""\ndelay = 600.0\n')
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "workflows.cli.main",
            "run",
            "hello.py",
            "-a",
            "times=1",
            "--stream",
            "jsonl",
            *FAKE,
        ],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MCO_FAKE_RULES": str(project / "rules.toml")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["kind"] == "StepStarted":
            process.send_signal(number)
            break
    rest, errors = process.communicate()

    assert process.returncode == 130
    last = json.loads(rest.splitlines()[-1])
    assert (last["kind"], last["status"]) == ("RunFinished", "cancelled")
    (run,) = (project / ".mco" / "runs").iterdir()
    assert f"stopped; take it up again with: mco resume {run.name}\n" in errors


def run_in_a_shell(project: Path, line: str) -> tuple[int, str]:
    """The exit code of a line of `sh`, where `mco` is ours, and what it said on either stream."""
    mco = shlex.join([sys.executable, "-m", "workflows.cli.main"])
    found = subprocess.run(
        ["/bin/sh", "-c", f'mco() {{ {mco} "$@"; }}; {line}'],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return found.returncode, found.stdout + found.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
@pytest.mark.parametrize(
    ("streams", "code"),
    [("2>/dev/full", 0), ("2>&-", 0), (">&-", 0), ("<&-", 0), (">/dev/full", 1), ("--json >/dev/full", 1)],
)
def test_a_stream_that_cannot_be_written_costs_no_run(
    project: Path, hello: Path, streams: str, code: int
) -> None:
    ended, said = run_in_a_shell(project, f"mco run hello.py -a times=2 --provider fake {streams}")

    assert ended == code
    assert "bug" not in said
    assert ("the output cannot be written" in said) == (code == 1)
    assert [json.loads(path.read_text())["report"] for path in project.glob(".mco/runs/*/result.json")]


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh and head")
def test_a_reader_of_everything_who_leaves_early_stops_no_run(project: Path, hello: Path) -> None:
    ended, _ = run_in_a_shell(project, "mco run hello.py -a times=50 --provider fake 2>&1 | head -1")
    assert ended == 0

    journal = next(project.glob(".mco/runs/*/journal.jsonl"))
    assert json.loads(journal.read_text().splitlines()[-1])["status"] == "done"
