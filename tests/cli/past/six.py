"""A script of six steps, run by the command and edited between; and what `mco why` says of it then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.record.folder import RunFolder
from tests.cli.console import Mco, Said

SIX = """\
meta = {"name": "six", "description": "six steps, of which the fifth sees the third"}

async def main(args):
    await agent("Outline it.", label="outline", reads=[])
    await agent("List the facts.", label="facts", reads=["src/**"])
    draft = await agent("Write a draft.", label="draft", reads=[])
    await agent("Check the sources.", label="check", reads=["src/**"])
    await agent(f"Review this:\\n{draft}\\nBe kind.", label="review", reads=[])
    return await agent("Conclude.", label="end", reads=[], model="small")
"""
ALONE = """\
meta = {"name": "alone", "description": "one step"}

async def main(args):
    return await agent("hello", label="greet", reads=[])
"""
STEPS = ("outline", "facts", "draft", "check", "review", "end")


def run_six(mco: Mco, *options: str, rules: str | None = None) -> Said:
    return mco("run", "six.py", "--provider", "fake", *options, rules=rules)


def edit(workspace: Path, old: str, new: str, name: str = "six.py") -> None:
    path = workspace / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def told(mco: Mco, *arguments: str) -> dict[str, dict[str, Any]]:
    """The steps of `mco why --json`, by label."""
    return {step["label"]: step for step in json.loads(mco("why", *arguments, "--json").stdout)["steps"]}


def kinds(mco: Mco, *arguments: str) -> dict[str, str]:
    return {label: step["kind"] for label, step in told(mco, *arguments).items()}


def ran(mco: Mco) -> dict[str, str]:
    """Why each step of the last run ran that was not reused."""
    return {label: kind for label, kind in kinds(mco).items() if kind != "reused"}


def folders(workspace: Path) -> list[RunFolder]:
    """The folders of the runs, oldest first."""
    return [RunFolder(path) for path in sorted((workspace / ".mco" / "runs").iterdir())]
