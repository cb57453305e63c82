"""Kills mco at one moment after another, takes the run up again, and compares it with one that nobody disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from engine.record.events import Event, StepFailed, StepFinished, StepQueued, StepReused, StepStarted
from engine.record.journal import read_journal
from engine.record.view import fold
from tests.crash.programs import FLOW, install

ROOT = Path(__file__).resolve().parents[2]
STEPS = 60
RUN = ("run", "flow.py", "--trust")


class Bench:
    """A workspace with its settings and cache, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "work"
        self.ledger = folder / "ledger"
        (self.workspace / "notes").mkdir(parents=True)
        (self.workspace / ".git").mkdir()
        (self.workspace / "notes" / "a.md").write_text("a note\n")
        self.flow = self.workspace / "flow.py"
        self.flow.write_text(FLOW)
        settings = folder / "config" / "mco" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(install(folder, self.ledger))

    def mend(self) -> None:
        """Put the program back that answers every question."""
        install(self.folder, self.ledger)

    @property
    def runs(self) -> Path:
        """Where the runs are."""
        return self.workspace / ".mco" / "runs"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`mco …` in a process of its own, its events on a pipe."""
        environment = {
            **os.environ,
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "workflows.cli.main", *arguments],
            cwd=self.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def asked(self) -> Counter[str]:
        """How often the program was asked what."""
        return Counter(self.ledger.read_text().splitlines() if self.ledger.exists() else [])

    def journals(self) -> list[list[Event]]:
        """The events of all runs, oldest run first."""
        return [read_journal(path) for path in sorted(self.runs.glob("*/journal.jsonl"), key=_age)]


def _age(journal: Path) -> int:
    return journal.with_name("run.json").stat().st_mtime_ns


class Ended(NamedTuple):
    """How one process of mco came to its end."""

    code: int
    errors: str
    events: int


def follow(
    process: subprocess.Popen[bytes], after: int | None = None, do: Callable[[], None] | None = None
) -> Ended:
    """Read its events to the end. After so many of them something is done to it, wherever it has got to by then.

    If nothing else is said, it is killed.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        seen = 0
        for _ in process.stdout:
            seen += 1
            if seen == after:
                (do or process.kill)()
        return Ended(process.wait(), process.stderr.read().decode(errors="replace"), seen)


def undisturbed(bench: Bench) -> Any:
    """The result of a run that ends well."""
    ended = follow(bench.start(*RUN, "--stream", "jsonl"))
    assert ended.code == 0, ended.errors
    return result_of_newest(bench)


def result_of_newest(bench: Bench) -> Any:
    """What the newest run returned."""
    newest = max(bench.runs.iterdir(), key=lambda run: (run / "run.json").stat().st_mtime_ns)
    return json.loads((newest / "result.json").read_bytes())


def kill_and_resume(bench: Bench, kills: int, chance: random.Random) -> int:
    """Start a run, and kill it and what takes it up again at random moments; at last let it end. How often it died."""
    died = 0
    order: Sequence[str] = RUN
    while died < kills:
        ended = follow(bench.start(*order, "--stream", "jsonl"), after=chance.randint(1, 90))
        if ended.code == 0:  # too late: it had ended; the next one begins anew, without its answers
            order = (*RUN, "--fresh")
            bench.ledger.unlink(missing_ok=True)
            continue
        assert ended.code == -signal.SIGKILL, ended.errors
        died += 1
        order = ("resume",)
    ended = follow(bench.start("resume", "--stream", "jsonl"))
    assert ended.code == 0, ended.errors
    return died


def finished_twice(journals: Sequence[Sequence[Event]]) -> list[str]:
    """Labels of steps that ran although an earlier run had finished them."""
    finished: set[str] = set()
    twice: list[str] = []
    for events in journals:
        queued = {event.step: event for event in events if isinstance(event, StepQueued)}
        started = {event.step for event in events if isinstance(event, StepStarted)}
        twice += [queued[step].label for step in started if queued[step].key in finished]
        finished |= {queued[event.step].key for event in events if isinstance(event, StepFinished)}
    return twice


def asked_unseen(bench: Bench) -> Counter[str]:
    """What the program was asked more often than the journals say that it was."""
    told: Counter[str] = Counter()
    for events in bench.journals():
        queued = {event.step: event for event in events if isinstance(event, StepQueued)}
        told.update(queued[event.step].prompt for event in events if isinstance(event, StepStarted))
    return bench.asked() - told


def check_journal(events: Sequence[Event]) -> None:
    """A journal that can be folded, whose `seq` grows by one and whose steps end once at most."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    ends = Counter(
        event.step for event in events if isinstance(event, (StepReused, StepFinished, StepFailed))
    )
    assert all(number == 1 for number in ends.values())
    view = fold(events)
    assert len(view.steps) == len({event.step for event in events if isinstance(event, StepQueued)})


def ends_as_expected(bench: Bench, expected: object) -> None:
    """What takes the newest run up ends as one that nobody disturbed, and no step was paid for twice."""
    ended = follow(bench.start("resume", "--stream", "jsonl"))
    assert ended.code == 0, ended.errors
    assert result_of_newest(bench) == expected
    for events in bench.journals():
        check_journal(events)
    assert finished_twice(bench.journals()) == []
