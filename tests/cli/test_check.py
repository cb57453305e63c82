"""`mco check`: errors first, then warnings, for one script, for several, and for all of a project."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.console import ROOT, Mco

META = 'meta = {"name": "a", "description": "x"}\n\n'
GOOD = META + "async def main(args):\n    return 1\n"
DOUBTFUL = META + 'async def main(args):\n    agent("x", lable="y")\n'
BAD = META + 'import os\n\nasync def main(args):\n    agent("x")\n'


@pytest.fixture
def scripts(project: Path) -> Path:
    """A good script, one with warnings, and one with an error and a warning, in the project's own folder."""
    folder = project / ".mco" / "workflows"
    folder.mkdir(parents=True)
    for name, text in (("good", GOOD), ("doubtful", DOUBTFUL), ("bad", BAD)):
        (folder / f"{name}.py").write_text(text)
    return folder


def test_warnings_alone_leave_the_exit_code(mco: Mco, scripts: Path) -> None:
    assert str(mco("check", "doubtful")) == (
        "exit 0\n"
        "--- stdout\n"
        "[FOLDER]/.mco/workflows/doubtful.py:4:5: warning: agent() is never awaited, so it does nothing\n"
        '    agent("x", lable="y")\n'
        "    ^\n"
        "    hint: write await agent(…)\n"
        "\n"
        "[FOLDER]/.mco/workflows/doubtful.py:4:16: warning: agent() has no option lable\n"
        '    agent("x", lable="y")\n'
        "               ^\n"
        "    hint: did you mean label?\n"
        "\n"
        "--- stderr\n"
        "[FOLDER]/.mco/workflows/doubtful.py: no problems, 2 warnings\n"
    )


def test_errors_come_before_warnings(mco: Mco, scripts: Path) -> None:
    said = mco("check", "bad")

    assert said.code == 2
    assert said.stdout.index(":3:1: error: the module os") < said.stdout.index(":6:5: warning: agent()")
    assert said.stderr.endswith("bad.py: 1 problem, 1 warning\n")


def test_several_scripts_are_told_each_and_the_gravest_counts(mco: Mco, scripts: Path, project: Path) -> None:
    (project / "file.py").write_text(GOOD)
    said = mco("check", "good", "bad", "./file.py", "good")

    assert said.code == 2
    assert str(said).partition("--- stderr\n")[2] == (
        "[FOLDER]/.mco/workflows/good.py: no problems\n"
        "[FOLDER]/.mco/workflows/bad.py: 1 problem, 1 warning\n"
        "[FOLDER]/file.py: no problems\n"
    )


def test_without_a_name_all_of_the_project_are_checked(mco: Mco, scripts: Path) -> None:
    said = mco("check")

    assert said.code == 2
    assert [line.rpartition("/")[2] for line in said.stderr.splitlines()] == [
        "bad.py: 1 problem, 1 warning",
        "doubtful.py: no problems, 2 warnings",
        "good.py: no problems",
    ]


def test_without_a_name_and_without_workflows_nothing_passes_for_checked(mco: Mco) -> None:
    assert str(mco("check")) == (
        "exit 2\n"
        "--- stdout\n"
        "--- stderr\n"
        "error: there is nothing to check\n"
        "  where: [FOLDER]/.mco/workflows\n"
        "  why: this project has no workflows of its own\n"
        "\n"
        "hint: name a workflow or a file: mco check NAME\n"
    )


def test_a_file_that_is_not_there_keeps_no_other_from_being_checked(mco: Mco, scripts: Path) -> None:
    said = mco("check", "nowhere.py", "doubtful")

    assert said.code == 2
    assert "nowhere.py: error: there is no such file\n    hint: " in said.stdout
    assert "doubtful.py: no problems, 2 warnings" in said.stderr


def test_json_is_one_document_of_one_shape(mco: Mco, scripts: Path) -> None:
    one, all_of_them = (
        json.loads(mco("check", "bad", "--json").stdout),
        json.loads(mco("check", "--json").stdout),
    )
    path = str(scripts / "bad.py")

    assert one["scripts"] == [{"name": "bad", "path": path}]
    assert [(each["path"], each["line"], each["column"]) for each in one["problems"]] == [(path, 3, 1)]
    assert one["warnings"] == [
        {
            "path": path,
            "line": 6,
            "column": 5,
            "message": "agent() is never awaited, so it does nothing",
            "hint": "write await agent(…)",
            "source": '    agent("x")',
        }
    ]
    assert [each["name"] for each in all_of_them["scripts"]] == ["bad", "doubtful", "good"]
    assert all_of_them["problems"] == one["problems"]
    assert len(all_of_them["warnings"]) == 3


def test_a_run_that_is_refused_shows_no_warnings(mco: Mco, project: Path) -> None:
    (project / "bad.py").write_text(BAD)
    said = mco("run", "bad.py")

    assert said.code == 2
    assert "warning" not in said.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(
    ("quiet", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_on_a_terminal_the_words_have_colours(
    scripts: Path, project: Path, monkeypatch: pytest.MonkeyPatch, quiet: dict[str, str], *, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR")
    printed = _on_a_terminal(project, {"TERM": "xterm", **quiet})

    assert ("\x1b[33m\x1b[1mwarning\x1b[0m" in printed) == coloured
    assert ("\x1b[31m\x1b[1merror\x1b[0m" in printed) == coloured
    assert ": warning: " in printed or coloured


def _on_a_terminal(folder: Path, environment: dict[str, str]) -> str:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "workflows.cli.main", "check", "bad"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        printed = b"".join(_read(ours))
        assert process.wait() == 2
    os.close(ours)
    return printed.decode()


def _read(terminal: int) -> list[bytes]:
    """What is written to a terminal until its other end is closed."""
    found: list[bytes] = []
    while True:
        select.select([terminal], [], [])
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux says so at the end
            return found
        if not data:
            return found
        found.append(data)
