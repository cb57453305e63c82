"""Providers of a test's own, each with what it answers, in the user's settings."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FINDING: dict[str, Any] = {
    "severity": "medium",
    "category": "bug",
    "title": "Off by one",
    "file": "app.py",
    "line": 2,
    "symbol": "last",
    "snippet": "return items[len(items)]",
    "recommendation": "Take len(items) - 1.",
    "confidence": 0.5,
}


def finding(**changes: Any) -> dict[str, Any]:
    """A finding with all its fields, some of them changed."""
    return {**FINDING, **changes}


def said(*findings: dict[str, Any], summary: str = "Looked at it.") -> str:
    """A review as a model writes it."""
    return json.dumps({"summary": summary, "findings": list(findings)})


def seat(**rules: dict[str, Any]) -> None:
    """Make these providers, each with one rule of the fake provider; those that fail are not tried again."""
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "mco"
    folder.mkdir(parents=True, exist_ok=True)
    tables = ["retries = 0"]
    for name, rule in rules.items():
        path = folder / f"{name}.toml"
        pairs = "".join(f"{key} = {_toml(value)}\n" for key, value in rule.items())
        path.write_text(f"[[rules]]\n{pairs}", encoding="utf-8")
        tables.append(f'[providers.{name}]\ntype = "fake"\nrules = {json.dumps(str(path))}')
    (folder / "config.toml").write_text("\n".join(tables) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)
