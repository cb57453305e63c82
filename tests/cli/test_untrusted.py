"""`--untrusted`, and scripts that lie where somebody else can change them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.sandbox import spawn
from tests.cli.console import Mco
from tests.sandbox.cell import needs_linux
from tests.sandbox.test_untrusted import NO_SECCOMP
from workflows.script import Script

FAKE = ("--provider", "fake", "-a", "times=1")
only_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file to somebody else"
)
CALLER = """\
meta = {"name": "caller", "description": "calls"}

async def main(args):
    return await workflow("./hello.py", {"times": 1})
"""


@pytest.fixture
def no_seccomp(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose kernel has no seccomp, as the worker sees it."""
    monkeypatch.setattr(spawn, "_BOOT", NO_SECCOMP)


@needs_linux
@pytest.mark.usefixtures("hello")
def test_untrusted_runs_where_the_wall_is_whole_and_stays_so_when_resumed(mco: Mco, project: Path) -> None:
    assert mco("run", "./hello.py", *FAKE, "--untrusted").code == 0
    assert mco("resume", "last").code == 0
    kept = sorted((project / ".mco" / "runs").glob("*/run.json"))
    assert [json.loads(path.read_text())["untrusted"] for path in kept] == [True, True]


@needs_linux
@pytest.mark.usefixtures("hello")
def test_what_an_untrusted_script_calls_is_untrusted_too(mco: Mco, project: Path) -> None:
    (project / "caller.py").write_text(CALLER, encoding="utf-8")
    assert mco("run", "./caller.py", "--provider", "fake", "--untrusted").code == 0


@needs_linux
@pytest.mark.usefixtures("hello", "no_seccomp")
def test_untrusted_is_refused_where_it_is_not(mco: Mco, project: Path) -> None:
    said = mco("run", "./hello.py", *FAKE, "--untrusted")

    assert said.code == 2
    assert (
        "the script is untrusted, and the operating system's part of the sandbox is not whole here"
        in said.stderr
    )
    assert "seccomp is missing: the kernel has no seccomp" in said.stderr
    assert "hint: `mco doctor` shows every layer" in said.stderr
    assert not (project / ".mco" / "runs").exists()
    assert mco("run", "./hello.py", *FAKE).code == 0


@needs_linux
@pytest.mark.usefixtures("hello", "no_seccomp")
def test_a_refusal_is_a_document_too(mco: Mco) -> None:
    found = json.loads(mco("run", "./hello.py", *FAKE, "--untrusted", "--json").stdout)
    assert found["status"] == "refused"
    assert found["error"]["why"] == "seccomp is missing: the kernel has no seccomp"


@needs_linux
@only_root
@pytest.mark.usefixtures("no_seccomp")
def test_a_script_of_somebody_else_is_untrusted_by_itself(mco: Mco, hello: Path) -> None:
    os.chown(hello, 65534, -1)
    assert "the script is untrusted" in mco("run", "./hello.py", *FAKE).stderr


@needs_linux
@only_root
@pytest.mark.usefixtures("no_seccomp")
def test_a_script_of_somebody_else_is_untrusted_when_it_is_called(
    mco: Mco, project: Path, hello: Path
) -> None:
    (project / "caller.py").write_text(CALLER, encoding="utf-8")
    assert mco("run", "./caller.py", "--provider", "fake").code == 0
    os.chown(hello, 65534, -1)
    said = mco("run", "./caller.py", "--provider", "fake")
    assert said.code == 1
    assert "the script is untrusted" in said.stderr


@only_root
def test_who_owns_the_file_or_its_folder_decides(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    script, link = folder / "s.py", tmp_path / "s.py"
    script.touch()
    link.symlink_to(script)
    assert not Script("s", script, "file").is_foreign()
    os.chown(folder, 65534, -1)
    assert Script("s", script, "file").is_foreign()
    assert Script("s", link, "project").is_foreign()
    assert not Script("s", script, "built-in").is_foreign()


def test_a_script_of_mine_is_not_foreign(tmp_path: Path) -> None:
    script = tmp_path / "s.py"
    script.touch()
    assert not Script("s", script, "file").is_foreign()


@needs_linux
def test_doctor_names_every_layer_with_how_it_was_tried(mco: Mco) -> None:
    sandbox = json.loads(mco("doctor", "--json").stdout)["sandbox"]
    assert sandbox["wall"]["ok"] is True
    assert sandbox["layers"]["seccomp"]["said"].startswith("refused when tried: reading, writing, a socket")
    assert "  seccomp " in mco("doctor").stdout


@needs_linux
@pytest.mark.usefixtures("no_seccomp")
def test_doctor_names_what_is_missing_and_that_is_no_failure(mco: Mco) -> None:
    said = mco("doctor", "--json")
    sandbox = json.loads(said.stdout)["sandbox"]
    assert said.code == 0
    assert sandbox["layers"]["seccomp"] == {"ok": False, "said": "the kernel has no seccomp", "hint": None}
    assert sandbox["wall"]["said"].startswith("not whole, so --untrusted is refused: seccomp is missing")
