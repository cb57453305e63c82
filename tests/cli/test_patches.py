"""`mco patches`: what agents changed in worktrees is listed, shown, applied and dropped; and what a kill leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.console import Mco

AGENT = """\
import os, pathlib, signal, sys
exec(sys.stdin.read())
print("done")
"""
SCRIPT = """\
meta = {{"name": "writers", "description": "agents that write"}}


async def main(args):
    options = {{"access": "write", "provider": "hand", {options}}}
    steps = [(prompt, {{**options, "label": f"step {{n}}"}}) for n, prompt in enumerate({prompts!r}, 1)]
    return await parallel([lambda step=step: agent(*step) for step in steps])
"""
EDIT = "p = pathlib.Path('text'); p.write_text(p.read_text().replace('line {line}\\n', '{text}\\n'))"
KILL = "pathlib.Path('half').write_text('work'); os.kill(os.getppid(), signal.SIGKILL)"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def writers(project: Path, tmp_path: Path) -> Path:
    """The project as a repository, and a provider that does what its prompt says."""
    (tmp_path / "agent.py").write_text(AGENT)
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "mco" / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f'access = "write"\n[providers.hand]\ncommand = ["{sys.executable}", "{tmp_path / "agent.py"}"]\n'
        'access = ["read", "write"]\ncapabilities = ["text", "edit"]\n'
    )
    git(project, "init", "--quiet")
    (project / "text").write_text("".join(f"line {number}\n" for number in range(40)))
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "first")
    return project


def script(project: Path, *prompts: str, options: str = "'isolation': 'worktree'") -> str:
    path = project / ".mco" / "workflows" / "writers.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPT.format(prompts=prompts, options=options))
    return "writers"


def edit(line: int, text: str) -> str:
    return EDIT.format(line=line, text=text)


def test_patches_are_listed_with_what_collides(mco: Mco, writers: Path) -> None:
    ran = mco("run", script(writers, edit(3, "three"), edit(5, "five"), edit(30, "thirty")))
    said = mco("patches")

    assert "3 patches offered: mco patches [RUN]\n" in str(ran)
    assert str(said) == (
        "exit 0\n--- stdout\n"
        "N  STEP      PROVIDER  STATE    FILES  LINES  CHANGES\n"
        "1  1 step 1  hand      offered  1      +1 −1  text\n"
        "2  2 step 2  hand      offered  1      +1 −1  text\n"
        "3  3 step 3  hand      offered  1      +1 −1  text\n"
        "\n"
        "CONFLICT       PATCHES  FILE\n"
        "adjacent_line  1 and 2  text:4\n"
        "same_file      1 and 3  text\n"
        "same_file      2 and 3  text\n"
        "--- stderr\n"
        "look at one with --show N, take it with --apply N, refuse it with --drop N\n"
    )


def test_the_document_has_everything(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, edit(3, "three"), edit(3, "tres")))
    document = json.loads(mco("patches", "--json").stdout)

    assert [(one["number"], one["step"], one["state"]) for one in document["patches"]] == [
        (1, 1, "offered"),
        (2, 2, "offered"),
    ]
    assert document["patches"][0]["files"] == [
        {"path": "text", "status": "changed", "added": 1, "removed": 1, "old": None}
    ]
    assert document["conflicts"] == [
        {"severity": "same_line", "patches": [1, 2], "steps": [1, 2], "file": "text", "line": 4}
    ]
    assert document["leftovers"] == []


def test_a_patch_in_a_pipe_is_what_git_takes(real_mco: Mco, writers: Path) -> None:
    real_mco("run", script(writers, edit(3, "three")))
    said = real_mco("patches", "--show", "1")

    subprocess.run(["git", "apply", "--check", "-"], cwd=writers, input=said.stdout, text=True, check=True)


def test_one_is_applied_to_the_files_and_remembered(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, edit(3, "three")))
    said = mco("patches", "--apply", "1")

    assert (said.code, said.stderr) == (0, "patch 1 is applied\n")
    assert "three" in (writers / "text").read_text().splitlines()
    assert "applied" in mco("patches").stdout
    again = mco("patches", "--apply", "1")
    assert (again.code, "applied already" in again.stderr) == (2, True)


def test_what_collides_is_told_before_anything_is_applied(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, edit(3, "three"), edit(3, "tres"), edit(30, "thirty")))
    said = mco("patches", "--apply-all")

    assert said.code == 1
    assert said.stderr == (
        "warning: patches 1 (step 1) and 2 (step 2) collide in text:4 (same_line)\n"
        "warning: patches 1 (step 1) and 3 (step 3) collide in text (same_file)\n"
        "warning: patches 2 (step 2) and 3 (step 3) collide in text (same_file)\n"
        "patch 1 is applied\n"
        "patch 2 was not applied, and nothing was changed: conflicts in text\n"
        "hint: --markers applies it and marks the conflicts in the files\n"
        "patch 3 is applied\n"
    )
    assert {"three", "thirty"} <= set((writers / "text").read_text().splitlines())


def test_a_dropped_one_is_offered_no_longer_and_stays_on_disk(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, edit(3, "three"), edit(3, "tres")))
    mco("patches", "--drop", "2")
    document = json.loads(mco("patches", "--json").stdout)

    assert [one["state"] for one in document["patches"]] == ["offered", "dropped"]
    assert document["conflicts"] == []
    assert Path(document["patches"][1]["path"]).exists()


def test_what_is_applied_already_is_not_dropped(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, edit(3, "three"), edit(30, "thirty")))
    mco("patches", "--apply", "1")
    said = mco("patches", "--drop", "2", "--drop", "1")
    document = json.loads(mco("patches", "--json").stdout)

    assert (said.code, "patch 1 was applied already" in said.stderr) == (2, True)
    assert [one["state"] for one in document["patches"]] == ["applied", "offered"]
    git(writers, "apply", "--reverse", document["patches"][0]["path"])
    assert git(writers, "status", "--porcelain") == ""


def test_a_patch_that_was_tampered_with_is_refused(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, edit(3, "three")))
    (path,) = writers.glob(".mco/runs/*/patches/*.patch")
    path.write_bytes(path.read_bytes().replace(b"/text", b"/.git/config"))
    said = mco("patches", "--apply", "1")

    assert said.code == 2
    assert ".git/config is not for agents to change" in said.stderr
    assert git(writers, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (("--show", "9"), "`mco patches` lists them"),
        (("--show", "1", "--drop", "1"), "do one after the other"),
        (("--markers",), "add --apply N"),
    ],
)
def test_a_mistake_names_the_way_out(mco: Mco, writers: Path, line: tuple[str, ...], hint: str) -> None:
    mco("run", script(writers, edit(3, "three")))
    said = mco("patches", *line)

    assert (said.code, f"hint: {hint}" in said.stderr) == (2, True)


def test_a_run_without_patches_says_so(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, "pass"))
    said = mco("patches")

    assert (said.code, said.stdout) == (0, "")
    assert "has no patches" in said.stderr
    assert "still offers" not in said.stderr


def test_patches_behind_a_newer_run_are_pointed_at_until_they_are_decided(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, edit(3, "three")))
    (offering,) = [folder.name for folder in writers.glob(".mco/runs/*")]
    mco("run", script(writers, "pass"))
    pointer = f"run {offering} still offers some: mco patches {offering}"

    assert pointer in mco("patches").stderr
    mco("patches", offering, "--drop", "1")
    assert pointer not in mco("patches").stderr


def test_the_work_of_a_killed_mco_is_found_again(real_mco: Mco, writers: Path) -> None:
    killed = real_mco("run", script(writers, KILL))
    (run,) = [folder.name for folder in writers.glob(".mco/runs/*")]
    real_mco("run", script(writers, "pass"))
    told = real_mco("patches").stderr
    document = json.loads(real_mco("patches", run, "--json").stdout)

    assert killed.code == -9
    (patch,) = document["patches"]
    assert (patch["state"], patch["ended"], patch["files"][0]["path"]) == ("unfinished", "killed", "half")
    assert len(git(writers, "worktree", "list").splitlines()) == 1
    assert f"note: run {run} was cut off and left work: mco patches {run}\n" in told
    assert real_mco("patches", run, "--apply", "1").code == 0
    assert (writers / "half").read_text() == "work"


def test_a_writer_in_place_that_was_cut_off_halts_the_resumed_run(real_mco: Mco, writers: Path) -> None:
    once = "p = pathlib.Path('half'); seen = p.exists(); p.touch(); seen or os.kill(os.getppid(), signal.SIGKILL)"
    killed = real_mco("run", script(writers, once, options=""))
    halted = real_mco("resume", "last")
    skipped = real_mco("resume", "last", "--on-resume", "skip")
    rerun = real_mco("resume", "last", "--on-resume", "rerun")

    assert (killed.code, halted.code, skipped.code, rerun.code) == (-9, 1, 3, 0)
    assert "the step 'step 1' was changing files when run" in halted.stderr
    assert "--on-resume rerun" in halted.stderr


def test_a_writer_in_place_is_reused_only_by_who_resumes_its_run(real_mco: Mco, writers: Path) -> None:
    (writers / "two.py").write_text(
        'meta = {"name": "two", "description": "writes twice"}\n\n\n'
        "async def main(args):\n"
        '    options = {"access": "write", "provider": "hand"}\n'
        "    await agent(\"open('log', 'a').write('first ')\", {**options, \"label\": \"first\"})\n"
        "    await agent(\"p = pathlib.Path('seen'); seen = p.exists(); p.touch(); \"\n"
        '                "seen or os.kill(os.getppid(), signal.SIGKILL)", {**options, "label": "second"})\n'
    )
    killed = real_mco("run", "two.py", "--trust")
    resumed = real_mco("resume", "last", "--on-resume", "rerun")

    assert (killed.code, resumed.code) == (-9, 0)
    assert (writers / "log").read_text() == "first "
    assert "reused  first" in resumed.stderr

    again = real_mco("run", "two.py")
    assert (again.code, (writers / "log").read_text()) == (0, "first first ")


def test_a_refused_patch_is_named_with_its_file(mco: Mco, writers: Path) -> None:
    mco("run", script(writers, "pathlib.Path('out').symlink_to('/etc')"))
    said = mco("patches", "--apply", "1")
    (path,) = writers.glob(".mco/runs/*/patches/*.patch")

    assert said.code == 2
    assert "out is a link out of the workspace" in said.stderr
    assert f"where: {path}" in said.stderr


# In the place of git: where a patch is about to come into the files, it writes half of one and mco is gone.
CUTTING_GIT = """\
#!/bin/sh
case "$*" in
    *"apply -") printf 'half' > text; kill -9 $PPID;;
    *) exec {git} "$@";;
esac
"""


@pytest.fixture
def cut_off(real_mco: Mco, writers: Path, tmp_path: Path) -> Path:
    """A workspace in which mco was killed while a patch came into its files."""
    real_mco("run", script(writers, edit(3, "three")))
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(CUTTING_GIT.format(git=shutil.which("git")))
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        assert real_mco("patches", "--apply", "1").code == -signal.SIGKILL
    assert (writers / "text").read_text() == "half"
    return writers


def test_a_patch_that_a_kill_cut_in_half_is_told_and_undone(real_mco: Mco, cut_off: Path) -> None:
    assert (
        f"warning: applying patch 1 of run [RUN] was cut off in the middle, and changed {cut_off / 'text'}\n"
        "hint: --undo puts the files back as they were, --leave lets them be\n"
    ).replace(str(cut_off), "[FOLDER]") in str(real_mco("patches"))
    document = json.loads(real_mco("patches", "--json").stdout)
    assert document["half_applied"]["files"] == [str(cut_off / "text")]
    refused = real_mco("patches", "--apply", "1")
    assert refused.code != 0
    assert "`mco patches --undo` puts them back" in refused.stderr

    undone = real_mco("patches", "--undo")
    assert undone.code == 0
    assert git(cut_off, "status", "--porcelain", "text") == ""
    kept = Path(undone.stderr.rsplit(" lies in ", 1)[1].strip())
    assert [path.read_text() for path in kept.iterdir()] == ["half"]
    assert real_mco("patches", "--apply", "1").code == 0
    assert "three" in (cut_off / "text").read_text()
    assert json.loads(real_mco("patches", "--json").stdout)["half_applied"] is None


def test_a_patch_that_a_kill_cut_in_half_can_be_left_as_it_is(real_mco: Mco, cut_off: Path) -> None:
    assert real_mco("patches", "--leave").code == 0
    assert (cut_off / "text").read_text() == "half"
    again = real_mco("patches", "--undo")
    assert (again.code, "there is nothing to decide" in again.stderr) == (2, True)
