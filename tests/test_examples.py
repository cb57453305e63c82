"""Every example runs as it stands, with the fake provider."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "best-of-three": {"question": "Is it so?"},
    "explain-modules": {"modules": ["a.py", "b.py"]},
    "two-opinions": {},
}


def run(name: str, folder: Path, *options: str) -> dict[str, Any]:
    mco = Path(sys.executable).parent / "mco"
    (folder / "arguments.json").write_text(json.dumps(ARGUMENTS[name]), encoding="utf-8")
    command = [
        str(mco),
        "run",
        str(EXAMPLES / f"{name}.py"),
        "--args-file",
        "arguments.json",
        "--json",
        "--trust",
        *options,
    ]
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=50
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(ARGUMENTS)


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    document = run(name, tmp_path, "--provider", "fake")
    assert document["status"] == "done"
    assert document["result"]


def test_three_equal_calls_are_three_steps_and_are_found_again(tmp_path: Path) -> None:
    first = run("best-of-three", tmp_path, "--provider", "fake")
    second = run("best-of-three", tmp_path, "--provider", "fake")
    assert first["steps"]["finished"] == 3
    assert second["steps"]["reused"] == 3
    assert second["result"] == first["result"]


def test_the_rules_play_a_failure_that_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCO_FAKE_RULES", str(EXAMPLES / "rules.toml"))
    document = run("two-opinions", tmp_path, "--provider", "fake")
    assert "first hour" in document["result"]
