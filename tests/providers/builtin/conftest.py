from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import Progress, ProviderContext, Question
from engine.providers.builtin import BuiltinProvider, build

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def cache_folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def provider(workspace: Path, cache_folder: Path) -> BuiltinProvider:
    return build(
        ProviderContext(
            name="builtin", workspace=workspace, cache_folder=cache_folder, environment=os.environ
        )
    )


@pytest.fixture
def ask(provider: BuiltinProvider, workspace: Path) -> Ask:
    """Ask the provider to do a task in the workspace; gives the value of its answer."""

    async def asked(**task: Any) -> dict[str, Any]:
        heard: list[Progress] = []
        answer = await provider.ask(Question(prompt="ignored", task=task, workspace=workspace), heard.append)
        assert answer.usage.tokens is None
        return answer.value

    return asked


@pytest.fixture
def write(workspace: Path) -> Callable[[str, str], Path]:
    """Write a file of the workspace."""

    def written(name: str, text: str) -> Path:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written
