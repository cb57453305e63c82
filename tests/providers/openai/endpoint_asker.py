"""One provider `openai` with a workspace and an endpoint, and what it said of its work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.providers.base import Progress, ProviderContext, Question
from engine.providers.openai import build
from engine.step import Answer

KEY = "sk-a-key-of-24-letters--"


class EndpointAsker:
    """Asks a service at an address, with a key unless told otherwise."""

    def __init__(self, address: str, workspace: Path, key: str | None = KEY, **options: Any) -> None:
        self.workspace = workspace
        self.progress: list[Progress] = []
        table = {"base_url": f"{address}/v1", "model": "a-model", "api_key_variable": "MY_KEY", **options}
        environment = {} if key is None else {"MY_KEY": key}
        self.provider = build(ProviderContext("local", workspace, workspace, table, environment))

    async def ask(self, prompt: str = "Say something.", **question: Any) -> Answer:
        """One question."""
        asked = Question(prompt=prompt, workspace=self.workspace, **question)
        return await self.provider.ask(asked, self.progress.append)
