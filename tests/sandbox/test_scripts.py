"""Whole scripts, benign and hostile: our own, and those of the folder that MCO_CORPUS names.

A benign script begins with `# returns: JSON`; a hostile one with `# expect: refused` or `# expect: contained`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import MCOError
from tests.sandbox.bait import LIMITS, SCRIPTS, Bait, Ended, end_of, header, laid_out, reached, scripts, told
from tests.sandbox.play import Played, play

pytestmark = pytest.mark.anyio


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Bait]:
    with laid_out(tmp_path) as bait:
        yield bait


@pytest.mark.parametrize("path", scripts("benign"))
async def test_a_benign_script_returns_exactly_its_value(path: Path) -> None:
    played = await play(path.read_bytes(), limits=LIMITS)
    assert played.result == json.loads(header(path, "returns"))


@pytest.mark.parametrize("path", scripts("hostile"))
async def test_a_hostile_script_gets_nothing(path: Path, bait: Bait) -> None:
    leaked = header(path, "leak")
    ended: Ended | None = None
    for _ in range(2 if header(path, "run") == "twice" else 1):
        ended = await end_of(path, bait)
        if isinstance(ended, Played) and leaked:
            assert ended.result["leaked"] is False
        assert reached(ended, bait) == set()
        assert "Traceback" not in told(ended)
    if header(path, "expect") == "refused":
        assert isinstance(ended, MCOError)


def test_every_hostile_script_says_what_is_expected_of_it() -> None:
    hostile = sorted((SCRIPTS / "hostile").glob("*.py"))
    assert [path.name for path in hostile if header(path, "expect") not in ("refused", "contained")] == []


def test_the_corpus_is_alive(tmp_path: Path) -> None:
    """Without the sandbox, a script of ours that is refused does write: the tests above could fail."""
    canary = tmp_path / "canary"
    source = (SCRIPTS / "hostile" / "write_canary.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(compile(source, "x", "exec"), names)
    with pytest.raises(StopIteration) as ended:
        names["main"]({"canary_path": str(canary)}).send(None)
    ended.value.value.close()
    assert canary.exists()
