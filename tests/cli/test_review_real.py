"""`mco review` with two real coding agents, each against a model server on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.console import Mco
from tests.cli.panel import finding
from tests.providers.agents.clis import PROGRAMS, needs, surroundings
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.wire_formats import Call, Reply, Tokens


@needs("claude")
@needs("qwen")
def test_two_real_agents_come_to_one_decision(real_mco: Mco, project: Path) -> None:
    (project / "app.py").write_text("def last(items):\n    return items[len(items)]\n", encoding="utf-8")
    both: dict[str, Any] = {"summary": "One fault.", "findings": [finding(severity="high")]}
    tokens = Tokens(input=700, cached=0, output=40)
    claude = ModelServer(Reply("", call=Call("StructuredOutput", both), tokens=tokens))
    qwen = ModelServer(Reply("", call=Call("structured_output", both), tokens=tokens))
    with claude, qwen:
        output = real_mco(
            *("review", "--providers", "claude,qwen", "--strict-contract", "--task-id", "t", "--json"),
            environment=surroundings(
                ANTHROPIC_BASE_URL=claude.address,
                ANTHROPIC_API_KEY="a-key",
                OPENAI_BASE_URL=f"{qwen.address}/v1",
                OPENAI_API_KEY="a-key",
                OPENAI_MODEL="a-model",
            ),
        )

    document = json.loads(output.stdout)
    (found,) = document["result"]["findings"]
    assert (document["result"]["decision"], output.code) == ("ESCALATE", 1)
    assert (found["detected_by"], found["agreement"]) == (["claude", "qwen"], 1.0)
    tree = Path(document["artifacts"])
    assert sorted(path.name for path in (tree / "raw").iterdir()) == ["claude.log", "qwen.log"]
    assert all((tree / "raw" / name).stat().st_size for name in ("claude.log", "qwen.log"))
    facts = json.loads((tree / "run.json").read_bytes())
    assert [(each["ok"], each["usage"]["input_tokens"]) for each in facts["providers"]] == [
        (True, 700),
        (True, 700),
    ]
    assert str(PROGRAMS) not in output.stdout
