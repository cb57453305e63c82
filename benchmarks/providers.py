"""What mco adds to the programs that it calls: to one call, to several at once, to a large answer."""

from __future__ import annotations

import itertools
import os
import resource
import shlex
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio

from benchmarks.figure import Figure, best
from benchmarks.rig import SYSTEM, surroundings, timed_run
from engine.dispatch.answers import asked, checked
from engine.process import Command, run_child
from engine.providers.base import Provider, ProviderContext, Question
from engine.providers.command import build as build_command
from engine.record.journal import read_journal
from engine.surroundings import Surroundings
from tests.providers.agents.recorded import RECORDINGS, Recording

CALLS = """
async def main(args):
    for number in range(args["calls"]):
        await agent("prompt " + str(number), reads=[])
"""
TOGETHER = """
async def main(args):
    return await agent("prompt", reads=[], providers=args["providers"], strategy="all")
"""
LENGTH = """
async def main(args):
    return len(await agent("prompt", reads=[]))
"""
PROMISED_MILLISECONDS = 30.0
NOTICED_MILLISECONDS = 20.0
LARGE = 20 * 1000 * 1000


def calls(folder: Path, count: int = 20, rounds: int = 3) -> list[Figure]:
    """From queued to finished, less the program by itself, for a program that says each one's recorded lines."""
    return [_added(folder, recording, count, rounds) for recording in RECORDINGS.values()]


def _added(folder: Path, recording: Recording, count: int, rounds: int) -> Figure:
    program = _stand_in(folder / recording.name, recording, recording.whole("all is well"))
    whole, alone = _in_turns(
        lambda number: list(_whole_calls(folder / f"{recording.name}-{number}", recording, program, count)),
        lambda _number: [_alone(program, folder) for _ in range(count)],
        rounds,
    )
    return Figure(
        what=f"what mco adds to a call of {recording.name}", floor_name="promised",
        ours=(whole - alone) * 1000, floor=PROMISED_MILLISECONDS, unit="ms", most=1,
    )  # fmt: skip


def _in_turns(
    ours: Callable[[int], list[float]], floor: Callable[[int], list[float]], rounds: int
) -> tuple[float, float]:
    """The medians of both, taken in turns so that a busy moment falls on either."""
    both = [(ours(number), floor(number)) for number in range(rounds)]
    whole, alone = ([one for turn in turns for one in turn] for turns in zip(*both, strict=True))
    return statistics.median(whole), statistics.median(alone)


def _stand_in(folder: Path, recording: Recording, lines: list[str]) -> Path:
    folder.mkdir()
    (folder / "lines").write_text("".join(f"{line}\n" for line in lines))
    program = folder / recording.name
    program.write_text(f"#!/bin/sh\ncat > /dev/null\nexec cat {shlex.quote(str(folder / 'lines'))}\n")
    program.chmod(0o755)
    return program


def _whole_calls(place: Path, recording: Recording, program: Path, count: int) -> Iterator[float]:
    place.mkdir()
    around = surroundings(
        place,
        tables={recording.name: {"program": str(program)}},
        environment={**SYSTEM, "HOME": str(place), **recording.signed_in},
    )
    yield from seconds_of_calls(around, count)


def seconds_of_calls(around: Surroundings, count: int) -> Iterator[float]:
    """How long each of so many calls took in a run, one after the other, from queued to finished."""
    _, outcome = timed_run(around, CALLS, {"calls": count})
    queued: dict[int, float] = {}
    for event in read_journal(outcome.folder / "journal.jsonl"):
        if event.kind == "StepQueued":
            queued[event.step] = event.at
        elif event.kind == "StepFinished":
            yield event.at - queued[event.step]


def _alone(program: Path, folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run([program], cwd=folder, env=dict(SYSTEM), input=b"prompt", capture_output=True, check=True)
    return time.perf_counter() - started


def noticing(folder: Path, count: int = 100) -> Figure:
    """From the last thing that a child did to our knowing that it has ended."""
    last_words: list[bytes] = []
    command = Command(("/bin/date", "+%s%N"), folder, SYSTEM)

    async def go() -> list[float]:
        delays: list[float] = []
        for _ in range(count):
            await run_child(command, last_words.append, stall_timeout=60)
            delays.append(time.time() - int(last_words.pop()) / 1e9)
        return delays

    return Figure(
        what="noticing that a child has ended", floor_name="promised",
        ours=statistics.median(anyio.run(go)) * 1000, floor=NOTICED_MILLISECONDS, unit="ms", most=1,
    )  # fmt: skip


def together(folder: Path, rounds: int = 3) -> Figure:
    """Five programs that sleep, asked at once, against the slowest of them by itself."""
    naps = {f"nap{tenths}": tenths / 10 for tenths in range(6, 11)}
    tables = {name: {"command": ["sh", "-c", f"sleep {nap}; echo up"]} for name, nap in naps.items()}

    fresh = itertools.count()

    def ours() -> float:
        place = folder / f"together-{next(fresh)}"
        place.mkdir()
        return timed_run(surroundings(place, tables=tables), TOGETHER, {"providers": list(naps)})[0]

    def floor() -> float:
        started = time.perf_counter()
        script = f"sleep {max(naps.values())}; echo up"
        subprocess.run(["/bin/sh", "-c", script], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    wall, slowest = best(ours, floor, rounds)
    return Figure(
        what="5 providers at once", floor_name="the slowest alone",
        ours=wall, floor=slowest, unit="s", most=1.1,
    )  # fmt: skip


def large(folder: Path, kind: str) -> Figure:
    """How much more memory this process needs for an answer of 20 MB; `kind` is a program or a coding agent."""
    provider = _large_text(folder) if kind == "text" else _large_line(folder, RECORDINGS[kind])
    question = Question(prompt="prompt", workspace=folder)

    async def ask(each: Provider) -> int:
        answer = await asked(each, question, lambda progress: None)
        return len(checked(answer, None))

    anyio.run(ask, _small_text(folder))  # what is imported and set up for any answer is not this one's
    before = _peak()
    size = anyio.run(ask, provider)
    assert size == LARGE
    what = "as a program's text" if kind == "text" else f"as a line of {kind}"
    return Figure(
        what=f"memory for an answer of 20 MB, {what}", floor_name="its size",
        ours=(_peak() - before) / 1e6, floor=LARGE / 1e6, unit="MB", most=4,
    )  # fmt: skip


def large_run(folder: Path) -> Figure:
    """The same for a whole run: the answer is kept in the store and in the run's folder, and goes to the script."""

    def run(name: str, provider: Provider) -> int:
        place = folder / name
        place.mkdir()
        return timed_run(surroundings(place, providers={"large": provider}), LENGTH)[1].result

    run("small", _small_text(folder))
    before = _peak()
    size = run("large", _large_text(folder))
    assert size == LARGE
    return Figure(
        what="memory for an answer of 20 MB, in a whole run", floor_name="its size",
        ours=(_peak() - before) / 1e6, floor=LARGE / 1e6, unit="MB", most=4,
    )  # fmt: skip


def _small_text(folder: Path) -> Provider:
    return build_command(
        ProviderContext("small", folder, folder, {"command": ["echo", "x"]}, environment=SYSTEM)
    )


def _large_text(folder: Path) -> Provider:
    script = f"head -c {LARGE} /dev/zero | tr '\\0' x"
    table = {"command": ["sh", "-c", script]}
    return build_command(ProviderContext("large", folder, folder, table, environment=SYSTEM))


def _large_line(folder: Path, recording: Recording) -> Provider:
    # By another process: what ours needs to make such an answer would count as what it needs to read one.
    mark = "ALL-OF-IT"
    (folder / "bin").mkdir()
    program = folder / "bin" / recording.name
    fill = f"head -c {LARGE} /dev/zero | tr '\\0' x"
    lines = "\n".join(_filled(line, mark, fill) for line in recording.whole(mark))
    program.write_text(f"#!/bin/sh\ncat > /dev/null\n{lines}\n")
    program.chmod(0o755)
    environment = {"PATH": os.pathsep.join([str(folder / "bin"), SYSTEM["PATH"]]), **recording.signed_in}
    return recording.build(ProviderContext(recording.name, folder, folder, environment=environment))


def _filled(line: str, mark: str, fill: str) -> str:
    """Shell that prints a line, with what `fill` prints where the mark stands."""
    before, found, after = line.partition(mark)
    return f"printf %s {shlex.quote(before)}; {fill if found else ':'}; echo {shlex.quote(after)}"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # KiB on Linux
