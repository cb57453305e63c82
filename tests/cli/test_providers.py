"""`mco providers`, and what `mco doctor` says of them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.cli.console import Mco

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a program that is a shell script")


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """A PATH with nothing on it but a `claude` of an unknown, newer version."""
    program = tmp_path / "package" / "bin" / "claude"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    about = {"name": "@anthropic-ai/claude-code", "version": "99.0.0"}
    (program.parent.parent / "package.json").write_text(json.dumps(about))
    return {"PATH": str(program.parent)}


def test_each_provider_says_what_it_can_and_how_to_make_it_ready(mco: Mco, installed: dict[str, str]) -> None:
    said = mco("providers", environment=installed)
    assert (said.code, said.stderr) == (0, "")
    lines = {line.split()[0]: line for line in said.stdout.splitlines()}
    assert "read, write, full" in lines["claude"]
    assert "not ready: it is not signed in  hint: run `claude` once and log in" in lines["claude"]
    assert "not ready: codex is not on the PATH  hint: install codex" in lines["codex"]
    assert lines["builtin"].endswith("ready")


def test_a_newer_version_is_ready_with_a_remark(mco: Mco, installed: dict[str, str]) -> None:
    environment = {**installed, "ANTHROPIC_API_KEY": "a-key"}
    remark = "newer than those it was tried with (2.1.329)"
    assert f"ready 99.0.0: {remark}" in mco("providers", environment=environment).stdout
    assert f"ready 99.0.0: {remark}" in mco("doctor", environment=environment).stdout


def test_the_same_as_one_document(mco: Mco, installed: dict[str, str]) -> None:
    said = mco("providers", "--json", environment={**installed, "ANTHROPIC_API_KEY": "a-key"})
    listed = {one["provider"]: one for one in json.loads(said.stdout)}
    assert listed["claude"] == {
        "provider": "claude",
        "ready": True,
        "version": "99.0.0",
        "why": None,
        "hint": None,
        "remark": "newer than those it was tried with (2.1.329)",
        "capabilities": ["edit", "schema", "text", "tools"],
        "access": ["read", "write", "full"],
        "note": None,
    }
    assert (listed["codex"]["ready"], listed["builtin"]["access"]) == (False, None)


def test_a_table_that_is_wrong_is_said_among_the_others(mco: Mco) -> None:
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "mco" / "config.toml"
    if sys.platform == "darwin":
        settings = Path(os.environ["HOME"]) / "Library" / "Application Support" / "mco" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[providers.claude]\nmodle = 'opus'\n")
    said = mco("providers")
    assert said.code == 0
    (line,) = [line for line in said.stdout.splitlines() if line.startswith("claude")]
    assert "[providers.claude] is wrong" in line
    assert "did you mean 'model'?" in line
