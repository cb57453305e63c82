"""What a hostile script is after, and how to tell whether it got there."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.errors import MCOError
from engine.sandbox.host import WorkerLimits
from tests.sandbox.play import Flooded, Played, play

LIMITS = WorkerLimits(cpu_seconds=1, think_seconds=8.0, memory_bytes=256 * 1024 * 1024)
SECRET = "the-secret-that-nobody-may-read"
SCRIPTS = Path(__file__).parent / "scripts"


class Bait(NamedTuple):
    """A secret to read, a path to write to, and a port to connect to."""

    args: dict[str, Any]
    canary: Path
    listener: socket.socket


@contextmanager
def laid_out(folder: Path) -> Generator[Bait]:
    """The bait in a folder of its own."""
    secret, canary = folder / "secret", folder / "canary"
    secret.write_text(SECRET)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        args = {"secret_path": str(secret), "canary_path": str(canary), "port": listener.getsockname()[1]}
        yield Bait(args, canary, listener)


Ended = Played | MCOError | Flooded


async def end_of(path: Path, bait: Bait) -> Ended:
    """What came of a script."""
    try:
        return await play(path.read_bytes(), bait.args, limits=LIMITS)
    except (MCOError, Flooded) as error:
        return error


def told(ended: Ended) -> str:
    """Everything that a run brought out of its worker."""
    return repr(vars(ended)) if isinstance(ended, MCOError) else repr(ended)


def reached(ended: Ended, bait: Bait) -> set[str]:
    """Which of its aims a script reached; the bait is as new afterwards."""
    aims: set[str] = set()
    if SECRET in told(ended):
        aims.add("read")
    if bait.canary.exists():
        bait.canary.unlink()
        aims.add("written")
    try:
        bait.listener.accept()[0].close()
        aims.add("connected")
    except BlockingIOError:
        pass
    return aims


def scripts(kind: str, without: tuple[str, ...] = ()) -> list[Any]:
    """Our scripts of a kind and those of the folder that MCO_CORPUS names; not those whose names begin so."""
    own = [pytest.param(path, id=path.stem) for path in _found(SCRIPTS / kind, without)]
    corpus = os.environ.get("MCO_CORPUS")
    if not corpus:
        skip = pytest.mark.skip(reason="MCO_CORPUS names no folder of scripts")
        return [*own, pytest.param(Path(), id="corpus", marks=skip)]
    theirs = _found(Path(corpus) / kind, without)
    return [*own, *(pytest.param(path, id=f"corpus-{path.stem}") for path in theirs)]


def _found(folder: Path, without: tuple[str, ...]) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.stem.startswith(without or "\0"))


def header(path: Path, word: str) -> str:
    """What the first lines of a script say behind `# word:`."""
    for line in path.read_text(encoding="utf-8").splitlines()[:6]:
        if line.startswith(f"# {word}:"):
            return line.partition(":")[2].strip()
    return ""
