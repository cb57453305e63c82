"""Runs a script in a real worker, with a host that answers at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.sandbox.host import BudgetTotals, Call, Note, Spent, Worker, WorkerLimits

TIGHT = WorkerLimits(cpu_seconds=1, think_seconds=5.0, memory_bytes=256 * 1024 * 1024)
META = 'meta = {"name": "test", "description": "a test"}\n'
CALLS = 20_000
NOTES = 2_000


class Flooded(Exception):
    """The script asked or said more than this host takes."""


@dataclass
class Played:
    """What one run did."""

    result: Any = None
    calls: list[Call] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def logged(self) -> list[tuple[str, str]]:
        return [(n.arguments["level"], n.arguments["message"]) for n in self.notes if n.name == "log"]


Answer = Callable[[Worker, Call], None]


def echo(worker: Worker, call: Call) -> None:
    asked = call.arguments.get("prompt", call.arguments.get("name"))
    worker.reply(call, f"echo:{asked}", {0: Spent(10, None)})


async def play(
    source: str | bytes,
    args: Any = None,
    *,
    answer: Answer = echo,
    limits: WorkerLimits = TIGHT,
    budget: BudgetTotals | None = None,
    name: str = "test",
) -> Played:
    """Load and run a script; the worker is gone afterwards."""
    worker = Worker.spawn(limits)
    played = Played()

    def handle(frame: Call | Note) -> None:
        if isinstance(frame, Note):
            played.notes.append(frame)
        else:
            played.calls.append(frame)
            answer(worker, frame)
        if len(played.calls) > CALLS or len(played.notes) > NOTES:
            raise Flooded

    try:
        await worker.load(name, source if isinstance(source, bytes) else source.encode())
        played.result = await worker.run({} if args is None else args, budget or BudgetTotals(), handle)
    finally:
        worker.kill()
    return played


def body(lines: str) -> str:
    """A script whose main has this body."""
    indented = "\n".join(f"    {line}" for line in lines.strip("\n").split("\n"))
    return f"{META}\nasync def main(args):\n{indented}\n"
