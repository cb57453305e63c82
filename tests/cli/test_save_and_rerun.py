"""`mco run --watch`: a process of its own, saves as editors make them, and what it says after each run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.console import ROOT, Mco
from workflows.places import Places

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")

WAITING = "watching flow.py; Ctrl-C ends"
FLOW = """\
meta = {"name": "flow", "description": "x"}


async def main(args):
    one = await agent("one", label="one")
    two = await agent(f"two {one}", label="two")
    return await agent(f"three {two}", label="three")
"""
RULES = """\
[[rules]]
match = "^slow"
delay = 600.0

[[rules]]
match = ""
reply = "said"
usage = { input_tokens = 900, output_tokens = 100, cost = 0.25 }
"""


class Watched:
    """A `mco run --watch` that goes on; its lines come as it says them."""

    def __init__(self, project: Path, *options: str) -> None:
        rules = project.parent / "rules.toml"
        rules.write_text(RULES)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workflows.cli.main", "run", *options, "--provider", "fake", "--watch"],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MCO_FAKE_RULES": str(rules)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def until(self, end: str) -> str:
        """What it says up to a line that holds `end`."""
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if end in line:
                return said
        raise AssertionError(f"it ended before it said {end!r}:\n{said}")

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(number)
        said, _ = self.process.communicate()
        return self.process.returncode, said


@pytest.fixture
def flow(project: Path) -> Path:
    """A script that is no part of what its steps read."""
    path = project / ".mco" / "workflows" / "flow.py"
    path.parent.mkdir(parents=True)
    path.write_text(FLOW)
    return path


@pytest.fixture
def watch(project: Path) -> Iterator[Callable[..., Watched]]:
    started: list[Watched] = []

    def start(*options: str) -> Watched:
        started.append(Watched(project, *options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        assert one.process.stdout is not None
        one.process.stdout.close()


def test_each_save_runs_what_changed_and_says_what_that_saved(
    flow: Path, watch: Callable[..., Watched]
) -> None:
    watched = watch("flow")
    assert "reused 0 of 3 steps\n" in watched.until(WAITING)
    flow.write_text(FLOW.replace("three {two}", "3 {two}"))
    said = watched.until(WAITING)

    assert said.startswith("\nflow.py was saved\n")
    assert re.search(r"reused  one .*reused  two .*finished  three ", said, re.DOTALL)
    assert re.search(r"^reused 2 of 3 steps, which saved 2k tokens · \$0\.50 · \d+\.\ds$", said, re.MULTILINE)
    assert watched.end() == (130, "\nflow.py is no longer watched\n")


def test_a_script_that_stops_compiling_shows_its_errors_and_the_last_good_result(
    flow: Path, watch: Callable[..., Watched], project: Path
) -> None:
    watched = watch("flow")
    good = re.findall(r"\.mco/runs/\S+", watched.until(WAITING))[-1]
    flow.write_text(FLOW.replace("main(args)", "main(args"))
    said = watched.until(WAITING)

    assert "'(' was never closed" in said
    assert f"the last good result is still in {good}\n" in said
    assert (project / good / "result.json").exists()
    draft = flow.with_name("flow.py.new")
    draft.write_text(FLOW + "\n")
    draft.replace(flow)
    assert "reused 3 of 3 steps" in watched.until(WAITING)


def test_a_script_that_does_not_compile_yet_is_waited_for(flow: Path, watch: Callable[..., Watched]) -> None:
    flow.write_text("meta = ")
    watched = watch("flow")
    assert "the script was refused" in watched.until(WAITING)
    flow.write_text(FLOW)

    assert "reused 0 of 3 steps" in watched.until(WAITING)


def test_a_save_while_it_runs_stops_the_run_and_keeps_what_is_finished(
    flow: Path, watch: Callable[..., Watched], project: Path
) -> None:
    flow.write_text(FLOW.replace("three {two}", "slow"))
    flow.write_text(flow.read_text().replace('f"slow"', '"slow"'))
    watched = watch("flow")
    watched.until("finished  two")
    flow.write_text(FLOW)
    said = watched.until(WAITING)

    assert re.search(r"run \S+ stopped for the new text; what it finished is reused", said)
    assert "reused 2 of 3 steps, which saved" in said
    ends = [path.read_text().splitlines()[-1] for path in sorted(project.glob(".mco/runs/*/journal.jsonl"))]
    assert sorted(json.loads(line)["status"] for line in ends) == ["cancelled", "done"]


def test_ctrl_c_in_a_run_stops_it_in_order(flow: Path, watch: Callable[..., Watched]) -> None:
    flow.write_text(FLOW.replace('f"two {one}"', '"slow"'))
    watched = watch("flow")
    watched.until("finished  one")
    code, said = watched.end()

    assert code == 130
    assert "stopped; take it up again with: mco resume" in said


def test_a_script_that_it_calls_counts_too(flow: Path, watch: Callable[..., Watched]) -> None:
    inner = flow.with_name("inner.py")
    inner.write_text(FLOW.replace('"flow"', '"inner"'))
    flow.write_text(
        'meta = {"name": "flow", "description": "x"}\n\nasync def main(args):\n'
        '    return await workflow("inner", {})\n'
    )
    watched = watch("flow")
    watched.until(WAITING)
    inner.write_text(inner.read_text().replace("three {two}", "3 {two}"))
    said = watched.until(WAITING)

    assert said.startswith("\ninner.py was saved\n")
    assert "reused 2 of 3 steps" in said


def test_json_gives_a_document_for_each_run(flow: Path, watch: Callable[..., Watched]) -> None:
    watched = watch("flow", "--json")
    first = watched.until(WAITING)
    flow.write_text(FLOW + "\n# the same\n")
    second = watched.until(WAITING)

    assert '"status": "done"' in first
    assert '"reused": 3' in second


def test_a_dry_run_can_be_watched(flow: Path, watch: Callable[..., Watched], project: Path) -> None:
    watched = watch("flow", "--dry-run")
    assert "dry run: 3 steps · 3 would be asked" in watched.until(WAITING)
    flow.write_text(FLOW.replace('return await agent(f"three {two}", label="three")', "return two"))

    assert "dry run: 2 steps · 2 would be asked" in watched.until(WAITING)
    assert not (project / ".mco" / "runs").exists()


def test_with_trust_each_version_is_agreed_to_and_without_only_what_was_asked(
    tmp_path: Path, watch: Callable[..., Watched], project: Path, mco: Mco
) -> None:
    trusted = Places.around(project, os.environ).trusted
    trusted.unlink()
    path = project / ".mco" / "workflows" / "flow.py"
    path.parent.mkdir(parents=True)
    path.write_text(FLOW)
    watched = watch("flow", "--trust")
    watched.until(WAITING)
    path.write_text(FLOW + "\n")
    watched.until(WAITING)
    watched.end()

    assert trusted.read_text().count("sha256") == 2
    path.write_text(FLOW + "\n\n")
    assert "has changed since you trusted it" in mco("run", "flow", "--watch").stderr


def test_settings_that_break_meanwhile_are_shown_once_and_waited_for(
    flow: Path, watch: Callable[..., Watched], project: Path
) -> None:
    watched = watch("flow")
    watched.until(WAITING)
    settings = project / ".mco" / "config.toml"
    settings.write_text("acces = 1\n")
    flow.write_text(FLOW + "\n")
    said = watched.until(WAITING)

    assert said.count("there is no setting 'acces'") == 1
    assert "the last good result is still in" in said
    settings.unlink()
    flow.write_text(FLOW + "\n\n")
    assert "reused 3 of 3 steps" in watched.until(WAITING)


def test_what_keeps_the_first_run_from_beginning_ends_it(mco: Mco, flow: Path) -> None:
    said = mco("run", "flow", "--watch", "--provider", "nobody")

    assert said.code == 2
    assert "there is no provider 'nobody'" in said.stderr


def test_a_script_among_the_files_that_steps_read_is_pointed_out(
    project: Path, watch: Callable[..., Watched]
) -> None:
    (project / "flow.py").write_text(FLOW)
    watched = watch("flow.py")

    assert "note: flow.py is among the files of this workspace" in watched.until(WAITING)
