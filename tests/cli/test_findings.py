"""`--format`: findings for other tools on stdout, of a run that ends and of one that is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import Mco

SCRIPT = """\
meta = {{"name": "finder", "description": "finds"}}

async def main(args):
    await agent("look", label="look", reads=[])
    return {result}
"""
FOUND = '{"findings": [{"severity": "high", "title": "It leaks", "file": "a b.py", "line": 3}]}'


@pytest.fixture
def finder(project: Path) -> str:
    return written(project, FOUND)


def written(project: Path, result: str) -> str:
    (project / "finder.py").write_text(SCRIPT.format(result=result), encoding="utf-8")
    return "finder.py"


def test_sarif_alone_is_on_stdout(mco: Mco, finder: str) -> None:
    said = mco("run", finder, "--provider", "fake", "--format", "sarif")

    (run,) = json.loads(said.stdout)["runs"]
    (result,) = run["results"]
    assert said.code == 0
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.py"
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == (
        "answered by the fake provider (fake)"
    )
    assert "run [RUN] done" in str(said)


def test_a_comment_is_on_stdout_with_what_a_reader_must_know(mco: Mco, finder: str) -> None:
    said = mco("run", finder, "--provider", "fake", "--format", "markdown-pr")

    assert said.stdout.startswith("<!-- mco:findings:finder -->\n\n## mco finder\n\n1 finding: 1 high.\n")
    assert "> Note: answered by the fake provider (fake)\n" in said.stdout


@pytest.mark.parametrize("name", ["sarif", "markdown-pr"])
def test_resume_and_show_write_the_same_findings_as_the_run(mco: Mco, finder: str, name: str) -> None:
    first = mco("run", finder, "--provider", "fake", "--format", name)
    shown = mco("show", "last", "--format", name)
    resumed = mco("resume", "last", "--format", name)

    assert (shown.stdout, shown.code) == (first.stdout, 0)
    assert resumed.stdout.count("It leaks") == first.stdout.count("It leaks") > 0


def test_a_result_without_findings_has_an_exit_code_of_its_own_and_the_run_is_kept(
    mco: Mco, project: Path
) -> None:
    said = mco("run", written(project, "3"), "--provider", "fake", "--format", "sarif")

    assert (said.code, said.stdout) == (6, "")
    assert "error: the result has no findings to write as sarif\n" in said.stderr
    assert mco("runs", "--json").stdout.count('"status": "done"') == 1


def test_a_failed_run_writes_no_findings_since_none_would_look_like_all_is_well(
    mco: Mco, project: Path
) -> None:
    said = mco("run", written(project, "1 / 0"), "--provider", "fake", "--format", "sarif")

    assert (said.code, said.stdout) == (1, "")
    shown = mco("show", "last", "--format", "sarif")
    assert (shown.code, shown.stdout) == (2, "")
    assert "has no result" in shown.stderr


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (["--json"], "--json and --format both want stdout"),
        (["--stream", "jsonl"], "--stream and --format both want stdout"),
        (["--json", "--stream", "jsonl"], "--json and --stream and --format all want stdout"),
    ],
)
def test_only_one_may_have_stdout(mco: Mco, finder: str, others: list[str], sentence: str) -> None:
    said = mco("run", finder, "--format", "sarif", *others)

    assert (said.code, said.stdout) == (2, "")
    assert sentence in said.stderr


def test_nothing_in_a_finding_steers_the_terminal(mco: Mco, project: Path) -> None:
    result = FOUND.replace("It leaks", "\\\\x1b[2Jgone\\\\x07")
    for name in ("sarif", "markdown-pr"):
        said = mco("run", written(project, result), "--provider", "fake", "--format", name)
        assert said.code == 0
        assert "gone" in said.stdout
        assert not {"\x1b", "\x07"} & set(said.stdout)
        assert "\\u001b" not in said.stdout
