"""The command as a person meets it, in this process or in one of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.console import HELLO, ROOT, Mco, Said
from tests.trusting import trust_project
from workflows.cli.caller import Caller
from workflows.cli.main import run_command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A workspace of its own, whose scripts the user trusts; `test_consent` has one that nobody does."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    trust_project(folder)
    return folder


@pytest.fixture
def mco(project: Path, capfd: pytest.CaptureFixture[str]) -> Mco:
    """Runs a command line in this process; everything but the process itself is real."""

    def run(*arguments: str, environment: Mapping[str, str] | None = None) -> Said:
        caller = Caller(
            project, {**os.environ, **(environment or {})}, lambda: 1_795_258_497.0, random.Random(7)
        )
        capfd.readouterr()
        code = run_command(arguments, caller)
        output, errors = capfd.readouterr()
        return Said(code, output, errors, project)

    return run


@pytest.fixture
def real_mco(project: Path) -> Mco:
    """Runs a command line in a process of its own."""

    def run(*arguments: str, environment: Mapping[str, str] | None = None) -> Said:
        found = subprocess.run(
            [sys.executable, "-m", "workflows.cli.main", *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        return Said(found.returncode, found.stdout, found.stderr, project)

    return run


@pytest.fixture
def hello(project: Path) -> Path:
    """A script that takes arguments, has a phase, logs, and returns a report."""
    path = project / "hello.py"
    path.write_text(HELLO, encoding="utf-8")
    return path
