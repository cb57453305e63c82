"""What a command line came to, in one text that can be compared; and a script to run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_NORMAL = [
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}"), "[RUN]"),
    (re.compile(r"\b\d+(\.\d)?s\b|\b\d+m \d\ds\b"), "[TIME]"),
    (re.compile(r"\(just now\)|\(\d+m ago\)"), "[AGO]"),
    (re.compile(r"bug-\d{8}-\d{6}"), "bug-[NOW]"),
]


@dataclass(frozen=True)
class Said:
    """What one command line came to."""

    code: int
    stdout: str
    stderr: str
    folder: Path

    def __str__(self) -> str:
        text = f"exit {self.code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"
        text = text.replace(str(self.folder), "[FOLDER]")
        for pattern, name in _NORMAL:
            text = pattern.sub(name, text)
        return text


Mco = Callable[..., Said]
"""Runs a command line in the test's project."""

HELLO = """\
meta = {
    "name": "hello",
    "description": "greets",
    "phases": [{"title": "Greet", "detail": "one by one"}],
    "args": {
        "type": "object",
        "properties": {"who": {"type": "string", "default": "you"}, "times": {"type": "integer"}},
        "required": ["times"],
    },
}

async def main(args):
    phase("Greet")
    log("starting", who=args["who"])
    said = []
    for number in range(args["times"]):
        said.append(await agent(f"hello {number}, {args['who']}", label=f"greeting {number}", reads=[]))
    return {"report": "# Said\\n\\n" + "\\n".join(said)}
"""
