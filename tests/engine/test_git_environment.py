"""git hears our settings before a repository's own, and nothing of the environment leads it elsewhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from engine.git_environment import DISTRUST, git_environment


def configured(repository: Path, name: str) -> str:
    environment = git_environment([*DISTRUST.items(), ("filter.a=b.clean", "")])
    command = ["git", "-C", str(repository), "config", name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_what_a_repository_says_does_not_count(tmp_path: Path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    with (tmp_path / ".git" / "config").open("a") as config:
        config.write(
            '[core]\n\tfsmonitor = ./theirs\n[filter "a=b"]\n\tclean = ./theirs\n\tsmudge = ./kept\n'
        )
    assert configured(tmp_path, "core.fsmonitor") == "false\n"
    assert configured(tmp_path, "filter.a=b.clean") == "\n"
    assert configured(tmp_path, "filter.a=b.smudge") == "./kept\n"


def test_of_the_variables_of_git_only_the_named_ones_stay(monkeypatch: pytest.MonkeyPatch):
    for name in ("GIT_DIR", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_KEY_7", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "theirs")
    environment = git_environment([("a.b", "c")], {"GIT_CONFIG_GLOBAL"})
    stayed = {name for name, value in environment.items() if value == "theirs"}
    assert stayed == {"GIT_CONFIG_GLOBAL", "GITHUB_TOKEN"}
    assert environment["GIT_CONFIG_COUNT"] == "1"
    assert (environment["GIT_CONFIG_KEY_0"], environment["GIT_CONFIG_VALUE_0"]) == ("a.b", "c")
