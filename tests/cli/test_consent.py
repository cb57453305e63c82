"""A script of a project runs only when somebody agreed to it: the question on a real terminal, and without one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.source import ScriptSource
from tests.cli.console import ROOT, Mco
from workflows.cli.consent import with_trust
from workflows.places import Places

FAKE = ("--provider", "fake")
QUESTION = "(n) "
TEXT = """\
meta = {"name": "hello", "description": "greets"}

async def main(args):
    return await agent("hi", reads=[])
"""
INNER = 'meta = {"name": "inner", "description": "is called"}\n\nasync def main(args):\n    return "inside"\n'
OUTER = (
    'meta = {{"name": "outer", "description": "calls"}}\n\n'
    "async def main(args):\n    return await workflow({called!r}, {{}})\n"
)
Reply = str | Callable[[], str]

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A workspace that the user has just cloned: they trust nothing in it."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture
def script(project: Path) -> Path:
    """A script of the project, with a name."""
    path = project / ".mco" / "workflows" / "hello.py"
    path.parent.mkdir(parents=True)
    path.write_text(TEXT, encoding="utf-8")
    return path


def trusted_file() -> Path:
    return Places.around(Path.cwd(), os.environ).trusted


class Talk:
    """What was said in front of a terminal."""

    def __init__(self, code: int, sent: str, stdout: str) -> None:
        self.code = code
        self.sent = sent
        self.stdout = stdout

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.sent}\n--- stdout\n{self.stdout}"


def talk(
    project: Path, arguments: list[str], *replies: Reply, typed_before: bytes = b"", stderr: bool = True
) -> Talk:
    """Run `mco` in front of a pseudo-terminal, and give a reply at each question; a reply may first do something."""
    ours, theirs = os.openpty()
    os.write(ours, typed_before)
    process = subprocess.Popen(
        [sys.executable, "-m", "workflows.cli.main", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs if stderr else subprocess.STDOUT,
    )
    os.close(theirs)
    waiting, sent = list(replies), b""
    try:
        while piece := _read(ours):
            sent += piece
            if sent.endswith(QUESTION.encode()) and waiting:
                reply = waiting.pop(0)
                os.write(ours, (reply if isinstance(reply, str) else reply()).encode())
            elif sent.endswith(QUESTION.encode()):
                process.send_signal(signal.SIGINT)
    finally:
        os.close(ours)
        output, _ = process.communicate()
    return Talk(process.returncode, sent.decode().replace("\r\n", "\n"), output.decode())


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_without_a_terminal_it_is_refused_with_the_command_to_type(
    mco: Mco, script: Path, project: Path
) -> None:
    said = mco("run", "hello", *FAKE, "-a", "who=it's me")

    assert str(said) == (
        "exit 2\n--- stdout\n--- stderr\n"
        "error: hello.py is not trusted here yet\n"
        "  where: [FOLDER]/.mco/workflows/hello.py\n"
        "  why: a script of a project asks once before it runs, and there is no terminal to ask on\n\n"
        "hint: look at it with: mco show hello --source, then: "
        "mco run hello --provider fake -a 'who=it'\"'\"'s me' --trust\n"
    )
    assert not (project / ".mco" / "runs").exists()


def test_the_refusal_is_a_document_too(mco: Mco, script: Path) -> None:
    document = json.loads(mco("run", "hello", *FAKE, "--json").stdout)

    assert document["status"] == "refused"
    assert document["error"]["hint"].endswith("mco run hello --provider fake --json --trust")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "a b.py"], "mco run 'a b.py' --trust"),
        (["run", "--fresh", "--", "-a.py"], "mco run --fresh --trust -- -a.py"),
        (["resume", "last"], "mco resume last --trust"),
        (["run", "x", "-a", "y" * 5_000], "the same command with --trust"),
    ],
)
def test_the_command_to_type_does_the_same_and_trusts(arguments: list[str], line: str) -> None:
    assert with_trust(arguments) == line


def test_trust_is_a_yes_that_is_kept(mco: Mco, script: Path) -> None:
    assert mco("run", "hello", *FAKE, "--trust").stdout == "echo:hi\n"
    assert mco("run", "hello", *FAKE).stdout == "echo:hi\n"
    assert mco("run", ".mco/workflows/hello.py", *FAKE).code == 0


def test_a_script_that_changed_asks_again_and_says_since_when(mco: Mco, script: Path) -> None:
    mco("run", "hello", *FAKE, "--trust")
    script.write_text(f"{TEXT}\n# more\n", encoding="utf-8")
    said = mco("run", "hello", *FAKE)

    day = time.strftime("%Y-%m-%d", time.localtime(1_795_258_497.0))
    assert said.code == 2
    assert said.stderr.startswith(f"error: hello.py has changed since you trusted it on {day}\n")

    script.write_text(TEXT, encoding="utf-8")
    assert mco("run", "hello", *FAKE).code == 0


@pytest.mark.parametrize("name", ["MCO_TRUST", "MCO_TRUSTED"])
def test_no_variable_of_the_environment_agrees(mco: Mco, script: Path, name: str) -> None:
    assert mco("run", "hello", *FAKE, environment={name: "1"}).code == 2


def test_settings_of_the_project_cannot_agree(mco: Mco, script: Path, project: Path) -> None:
    (project / ".mco" / "config.toml").write_text("trust = true\n")

    assert "there is no setting 'trust'" in mco("run", "hello", *FAKE).stderr


def test_a_file_given_by_its_path_asks_wherever_it_lies(mco: Mco, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(TEXT)

    assert mco("run", "../elsewhere.py", *FAKE).code == 2
    assert mco("run", "../elsewhere.py", *FAKE, "--trust").code == 0


def test_the_catalog_and_the_users_own_folder_do_not_ask(mco: Mco, project: Path) -> None:
    own = Places.around(project, os.environ).user_workflows
    own.mkdir(parents=True)
    (own / "mine.py").write_text(TEXT)

    assert mco("run", "mine", *FAKE).code == 0
    assert mco("run", str(own / "mine.py"), *FAKE).code == 0
    assert mco("run", "builtin:review-code", *FAKE).code == 0


def test_looking_at_a_script_needs_no_trust(mco: Mco, script: Path) -> None:
    assert mco("check", "hello").code == 0
    assert mco("show", "hello").code == 0
    assert mco("list").code == 0


def test_what_mco_new_wrote_runs_until_somebody_changes_it(mco: Mco, project: Path) -> None:
    mco("new", "mine")
    assert mco("run", "mine", *FAKE).code == 0

    with (project / ".mco" / "workflows" / "mine.py").open("a") as file:
        file.write("# changed\n")
    assert mco("run", "mine", *FAKE).code == 2


def test_resume_asks_like_run(mco: Mco, script: Path) -> None:
    mco("run", "hello", *FAKE, "--trust")
    assert "1 reused" in mco("resume", "last").stderr

    script.write_text(f"{TEXT}\n# more\n", encoding="utf-8")
    said = mco("resume", "last")
    assert said.code == 2
    assert said.stderr.endswith("mco resume last --trust\n")
    assert mco("resume", "last", "--trust").code == 0


def test_runs_that_came_with_a_repository_bring_no_trust(mco: Mco, script: Path, project: Path) -> None:
    mco("run", "hello", *FAKE, "--trust")
    trusted_file().unlink()  # as on the machine of whoever cloned it

    assert mco("resume", "last").code == 2
    (kept,) = project.glob(".mco/runs/*/script.py")
    assert mco("run", str(kept), *FAKE).code == 2


@pytest.mark.parametrize("called", ["inner", ".mco/workflows/inner.py"])
def test_a_script_that_is_called_has_to_be_trusted_too(
    mco: Mco, script: Path, project: Path, called: str
) -> None:
    (project / "outer.py").write_text(OUTER.format(called=called))
    mco("run", "outer.py", *FAKE, "--trust")  # fails, for want of what it calls, and is trusted
    script.with_name("inner.py").write_text(INNER)
    said = mco("run", "outer.py", *FAKE)

    assert said.code == 1
    assert f"workflow('{called}'): inner.py is not trusted here yet" in said.stderr
    assert "mco run outer.py --provider fake --trust" in said.stderr

    assert mco("run", "outer.py", *FAKE, "--trust").stdout == "inside\n"
    assert mco("run", "outer.py", *FAKE).stdout == "inside\n"


def test_trust_does_not_reach_called_scripts_outside_the_project(
    mco: Mco, project: Path, tmp_path: Path
) -> None:
    inner = tmp_path / "inner.py"
    inner.write_text(INNER)
    (project / "outer.py").write_text(OUTER.format(called=str(inner)))
    said = mco("run", "outer.py", *FAKE, "--trust")

    assert said.code == 1
    assert f"mco run {inner} --trust" in said.stderr

    assert mco("run", str(inner), *FAKE, "--trust").code == 0
    assert mco("run", "outer.py", *FAKE).stdout == "inside\n"


def test_a_torn_file_of_agreements_is_told_and_leads_to_a_question(mco: Mco, script: Path) -> None:
    mco("run", "hello", *FAKE, "--trust")
    kept = trusted_file()
    kept.write_bytes(kept.read_bytes()[:-30])
    said = mco("run", "hello", *FAKE)

    assert said.code == 2
    assert said.stderr.startswith(
        f"warning: {kept}, where mco keeps what you trust: 1 of its 1 lines cannot be read\nerror: hello.py is not"
    )
    assert mco("run", "hello", *FAKE, "--trust").code == 0
    assert mco("run", "hello", *FAKE).code == 0


def test_a_yes_that_cannot_be_kept_holds_for_its_run(mco: Mco, script: Path) -> None:
    trusted_file().mkdir(parents=True)
    said = mco("run", "hello", *FAKE, "--trust")

    assert (said.code, said.stdout) == (0, "echo:hi\n")
    assert "what you agreed to cannot be written down" in said.stderr
    assert "; you will be asked again\n" in said.stderr
    assert mco("run", "hello", *FAKE).code == 2


@unix_only
def test_the_question_shows_what_it_is_about_and_yes_is_kept(project: Path, script: Path) -> None:
    said = talk(project, ["run", "hello", *FAKE, "--budget", "20k", "--max-cost", "1.5"], "y\n")

    digest = ScriptSource("hello.py", script.read_bytes()).digest
    assert said.sent.startswith(
        "hello.py is not trusted here yet.\n\n"
        f"  file     {script}\n"
        f"  sha-256  {digest}\n"
        "  asks     fake, unless a step names builtin\n"
        "  access   read, and no step may ask for more\n"
        "  spends   at most 20,000 tokens and $1.50\n"
        "  steps    at most 1,000, 8 at once\n\n"
        '1  meta = {"name": "hello", "description": "greets"}\n'
    )
    assert '4      return await agent("hi", reads=[])\n\n  y  yes, this version of it\n' in said.sent
    assert "run it? [y/a/n/s] (n) y\nhello  run " in said.sent
    assert (said.code, said.stdout) == (0, "echo:hi\n")

    again = talk(project, ["run", "hello", *FAKE])
    assert (again.code, QUESTION in again.sent) == (0, False)


@unix_only
@pytest.mark.parametrize("reply", ["n\n", "NO\n", "\n", "\x04"], ids=["n", "no", "empty", "end of input"])
def test_no_runs_nothing_and_is_not_kept(project: Path, script: Path, reply: str) -> None:
    said = talk(project, ["run", "hello", *FAKE], reply)

    assert said.code == 2
    assert "error: hello.py was not run\n  why: you did not agree to it\n" in said.sent
    assert not (project / ".mco" / "runs").exists()
    assert not trusted_file().exists()


@unix_only
def test_what_is_no_answer_is_asked_for_again(project: Path, script: Path) -> None:
    said = talk(project, ["run", "hello", *FAKE], "maybe\n", "\xff\n", "yes\n")

    assert said.sent.count("please answer y, a, n or s\n") == 2
    assert said.code == 0


@unix_only
def test_always_is_for_every_script_of_the_project_also_changed(project: Path, script: Path) -> None:
    assert talk(project, ["run", "hello", *FAKE], "a\n").code == 0

    script.write_text(f"{TEXT}\n# more\n", encoding="utf-8")
    script.with_name("other.py").write_text(TEXT, encoding="utf-8")
    assert talk(project, ["run", "hello", *FAKE]).code == 0
    assert talk(project, ["run", "other", *FAKE]).code == 0


@unix_only
def test_always_is_not_offered_for_a_script_outside_the_project(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(TEXT)
    said = talk(project, ["run", "../elsewhere.py", *FAKE], "a\n", "n\n")

    assert "run it? [y/n/s] (n) a\nplease answer y, n or s\n" in said.sent
    assert said.code == 2


@unix_only
def test_a_long_script_is_shown_in_part_and_whole_on_request(project: Path, script: Path) -> None:
    script.write_text(TEXT + "".join(f"# line {number}\n" for number in range(5, 101)), encoding="utf-8")
    said = talk(project, ["run", "hello", *FAKE], "s\n", "n\n")

    before, after = said.sent.split(f"{QUESTION}s\n")
    assert "… 6 of 100 lines; s shows all of them\n" in before
    assert "  6  # line 6\n" in before
    assert "# line 7\n" not in before
    assert after.startswith('  1  meta = {"name"')
    assert "\n100  # line 100\nrun it? " in after


@unix_only
def test_nothing_in_a_script_reaches_the_terminal_as_a_command_or_unseen(project: Path, script: Path) -> None:
    script.write_bytes(
        TEXT.encode() + b"# \x1b[2J\x1b]0;title\x07 \x9b \xff\n"
        b"# \xe2\x80\xae reversed \xe2\x81\xa6 \xe2\x80\x8b\r# after a carriage return\n"
    )
    said = talk(project, ["run", "hello", *FAKE], "s\n", "n\n")

    assert said.sent.replace("\n", "").isprintable()
    assert r"5  # <U+001B>[2J<U+001B>]0;title<U+0007> \x9b \xff" in said.sent
    assert "6  # <U+202E> reversed <U+2066> <U+200B>\n7  # after a carriage return\n" in said.sent
    assert "2 lines with signs that a terminal hides" in said.sent


@unix_only
def test_what_was_shown_is_what_runs(project: Path, script: Path) -> None:
    def swap() -> str:
        script.write_text(TEXT.replace("hi", "something else"), encoding="utf-8")
        return "y\n"

    assert talk(project, ["run", "hello", *FAKE], swap).stdout == "echo:hi\n"
    assert talk(project, ["run", "hello", *FAKE], "n\n").code == 2


@unix_only
def test_what_was_typed_before_the_question_is_no_answer(project: Path, script: Path) -> None:
    said = talk(project, ["run", "hello", *FAKE], "n\n", typed_before=b"y\n")

    assert said.code == 2
    assert not trusted_file().exists()


@unix_only
def test_the_question_can_be_interrupted(project: Path, script: Path) -> None:
    said = talk(project, ["run", "hello", *FAKE])  # nobody answers it: the signal of Ctrl-C comes

    assert said.code == 130
    assert said.sent.endswith("stopped\n")
    assert not trusted_file().exists()


@unix_only
def test_nobody_is_asked_who_cannot_read_the_question(project: Path, script: Path) -> None:
    said = talk(project, ["run", "hello", *FAKE], stderr=False)

    assert said.code == 2
    assert "there is no terminal to ask on" in said.stdout


@unix_only
def test_a_document_is_whole_when_the_question_was_asked(project: Path, script: Path) -> None:
    said = talk(project, ["run", "hello", *FAKE, "--json"], "y\n")

    assert json.loads(said.stdout)["result"] == "echo:hi"
    assert json.loads(talk(project, ["run", "hello", *FAKE, "--json"]).stdout)["status"] == "done"


@unix_only
def test_a_workspace_that_was_moved_is_a_new_one(project: Path, script: Path, tmp_path: Path) -> None:
    talk(project, ["run", "hello", *FAKE], "a\n")
    moved = tmp_path / "moved"
    shutil.move(project, moved)

    assert talk(moved, ["run", "hello", *FAKE], "n\n").code == 2
