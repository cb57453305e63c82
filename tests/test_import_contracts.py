"""The direction of imports, as pyproject.toml draws it, and what the sandbox's worker must never load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_import_keeps_to_the_contracts() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    found = subprocess.run(
        [*command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 broken" in found.stdout


def test_the_worker_loads_neither_an_event_loop_nor_pydantic() -> None:
    """Every millisecond of its start is paid by every run, and what it cannot reach it cannot misuse."""
    code = "import sys, engine.sandbox.worker; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "engine.sandbox.worker" in found
    assert {"anyio", "asyncio", "pydantic", "pydantic_core", "rich", "click"} & set(found) == set()
