"""Whole scripts, benign and hostile: our own, and those of the folder that MCO_CORPUS names.

A benign script begins with `# returns: JSON`; a hostile one with `# expect: refused` or `# expect: contained`.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.errors import MCOError
from engine.sandbox.host import WorkerLimits
from tests.sandbox.play import Flooded, Played, play

pytestmark = pytest.mark.anyio
LIMITS = WorkerLimits(cpu_seconds=1, think_seconds=8.0, memory_bytes=256 * 1024 * 1024)
SECRET = "the-secret-that-nobody-may-read"


def scripts(kind: str) -> list[Any]:
    own = sorted((Path(__file__).parent / "scripts" / kind).glob("*.py"))
    found = [pytest.param(path, id=path.stem) for path in own]
    corpus = os.environ.get("MCO_CORPUS")
    if not corpus:
        skip = pytest.mark.skip(reason="MCO_CORPUS names no folder of scripts")
        return [*found, pytest.param(Path(), id="corpus", marks=skip)]
    theirs = sorted((Path(corpus) / kind).glob("*.py"))
    return [*found, *(pytest.param(path, id=f"corpus-{path.stem}") for path in theirs)]


def header(path: Path, word: str) -> str:
    for line in path.read_text(encoding="utf-8").splitlines()[:6]:
        if line.startswith(f"# {word}:"):
            return line.partition(":")[2].strip()
    return ""


class Bait(NamedTuple):
    """What a hostile script is after."""

    args: dict[str, Any]
    canary: Path
    listener: socket.socket


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Bait]:
    secret, canary = tmp_path / "secret", tmp_path / "canary"
    secret.write_text(SECRET)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        args = {"secret_path": str(secret), "canary_path": str(canary), "port": listener.getsockname()[1]}
        yield Bait(args, canary, listener)


@pytest.mark.parametrize("path", scripts("benign"))
async def test_a_benign_script_returns_exactly_its_value(path: Path) -> None:
    played = await play(path.read_bytes(), limits=LIMITS)
    assert played.result == json.loads(header(path, "returns"))


@pytest.mark.parametrize("path", scripts("hostile"))
async def test_a_hostile_script_gets_nothing(path: Path, bait: Bait) -> None:
    leaked = header(path, "leak")
    ended: Played | MCOError | Flooded | None = None
    for _ in range(2 if header(path, "run") == "twice" else 1):
        ended = await _end(path, bait)
        if isinstance(ended, Played) and leaked:
            assert ended.result["leaked"] is False
    if header(path, "expect") == "refused":
        assert isinstance(ended, MCOError)
    _check_untouched(ended, bait)


async def _end(path: Path, bait: Bait) -> Played | MCOError | Flooded:
    try:
        return await play(path.read_bytes(), bait.args, limits=LIMITS)
    except (MCOError, Flooded) as error:
        return error


def _check_untouched(ended: Played | MCOError | Flooded | None, bait: Bait) -> None:
    told = repr(vars(ended)) if isinstance(ended, MCOError) else repr(ended)
    assert SECRET not in told
    assert "Traceback" not in told
    assert not bait.canary.exists()
    with pytest.raises(BlockingIOError):
        bait.listener.accept()


def test_the_corpus_is_alive(tmp_path: Path) -> None:
    """Without the sandbox, a script of ours that is refused does write: the tests above could fail."""
    canary = tmp_path / "canary"
    source = (Path(__file__).parent / "scripts" / "hostile" / "write_canary.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(compile(source, "x", "exec"), names)
    with pytest.raises(StopIteration) as ended:
        names["main"]({"canary_path": str(canary)}).send(None)
    ended.value.value.close()
    assert canary.exists()
