"""What the crash harness runs: a workflow of sixty steps, and the program that they ask."""

from __future__ import annotations

from pathlib import Path

FLOW = """\
meta = {
    "name": "sixty",
    "description": "sixty steps, many at once, each of which asks a program",
    "phases": [{"title": "Scatter"}, {"title": "Refine"}, {"title": "Gather"}],
}


async def main(args):
    phase("Scatter")
    found = await parallel(
        [lambda n=n: agent(f"scatter {n}", label=f"scatter {n}", reads=[]) for n in range(20)]
    )
    phase("Refine")
    refined = await pipeline(
        range(15),
        lambda item: agent(f"refine {item} of {found[item]}", label=f"refine {item}", phase="Refine"),
        lambda previous, item: agent(
            f"check {previous}", label=f"check {item}", phase="Refine", reads=["notes/**"]
        ),
    )
    phase("Gather")
    several = [
        await agent(f"both of {n}", label=f"both {n}", providers=["one", "two"], strategy="all", reads=[])
        for n in range(4)
    ]
    total = [await agent("three equal samples", label=f"sample {n}", reads=[]) for n in range(3)]
    last = await parallel([lambda n=n: agent(f"last {n}", label=f"last {n}", reads=[]) for n in range(3)])
    return {"refined": refined, "several": several, "total": total, "last": last}
"""

# It writes down what it was asked, then answers. A shell, since it starts ten times as quickly as Python; one
# `write` of a short line is never torn.
PROGRAM = """#!/bin/sh
read -r prompt
echo "$prompt" >>"$LEDGER"
echo "$NAME says: $prompt"
"""


def install(folder: Path, ledger: Path) -> str:
    """Put the program into a folder; the settings that make two providers of it."""
    program = folder / "answer"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    tables = [
        f'[providers.{name}]\ncommand = ["env", "NAME={name}", "LEDGER={ledger}", "{program}"]\n'
        for name in ("one", "two")
    ]
    return 'provider = "one"\nretries = 0\n\n' + "\n".join(tables)
