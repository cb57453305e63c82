"""A project whose script was run more than once, a minute apart."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.console import Mco, Said
from tests.cli.past.six import SIX
from tests.trusting import trust_project
from workflows.cli.caller import Caller
from workflows.cli.main import run_command


@dataclass
class Hours:
    """A clock that stands still until it is moved."""

    now: float = 1_795_258_497.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A project with a script of six steps and a file that two of them read."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    (folder / "src" / "a.py").write_text("a = 1\n")
    (folder / "six.py").write_text(SIX)
    trust_project(folder)
    return folder


@pytest.fixture
def mco(workspace: Path, clock: Hours, capfd: pytest.CaptureFixture[str]) -> Mco:
    """Runs a command line, each a minute after the one before."""
    chance = random.Random(7)

    def run(*arguments: str, rules: str | None = None) -> Said:
        environment = dict(os.environ)
        if rules is not None:
            (workspace.parent / "rules.toml").write_text(rules)
            environment["MCO_FAKE_RULES"] = str(workspace.parent / "rules.toml")
        clock.pass_by(60)
        capfd.readouterr()
        code = run_command(arguments, Caller(workspace, environment, clock, chance))
        output, errors = capfd.readouterr()
        return Said(code, output, errors, workspace)

    return run
