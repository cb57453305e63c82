"""Each wall alone: with the other one away, still nothing is read, written or connected to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.sandbox import spawn
from engine.sandbox.host import Worker
from engine.sandbox.layer import Layer, gaps
from tests.sandbox.bait import LIMITS, SCRIPTS, Bait, end_of, laid_out, reached, scripts
from tests.sandbox.play import body, play
from tests.sandbox.walls_off import NEITHER, POLICY_ALONE, SYSTEM_ALONE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="the seam needs the limits of POSIX"),
]
EXHAUSTING = ("crash", "flood", "huge", "log", "never", "percent", "regex", "resource", "format_width")
"""Families that use the machine up and are after nothing else: tests/sandbox/test_scripts.py has them."""


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Bait]:
    with laid_out(tmp_path) as bait:
        yield bait


@pytest.mark.parametrize("path", scripts("hostile", EXHAUSTING))
async def test_the_policy_alone_lets_nothing_through(
    path: Path, bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_BOOT", POLICY_ALONE)
    assert reached(await end_of(path, bait), bait) == set()


async def test_the_policy_really_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "_BOOT", POLICY_ALONE)
    assert await _layers() == ()
    assert (await play(body("return 1"), limits=LIMITS)).result == 1


@pytest.fixture(scope="module")
def whole_wall() -> None:
    """Nobody else's hostile script is run as plain Python unless the wall around it is known to stand."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spawn, "_BOOT", SYSTEM_ALONE)
        missing = gaps(asyncio.run(_layers()))
    if missing is None or missing:
        pytest.skip(f"this system's wall is not whole: {missing}")


async def _layers() -> tuple[Layer, ...]:
    worker = Worker.spawn(LIMITS)
    try:
        await worker.load("test", body("return 1").encode())
        return tuple(worker.layers)
    finally:
        worker.kill()


@pytest.mark.usefixtures("whole_wall")
@pytest.mark.parametrize("path", scripts("hostile", EXHAUSTING))
async def test_the_operating_system_alone_lets_nothing_through(
    path: Path, bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_BOOT", SYSTEM_ALONE)
    assert reached(await end_of(path, bait), bait) == set()


@pytest.mark.usefixtures("whole_wall")
async def test_the_operating_system_really_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "_BOOT", SYSTEM_ALONE)
    script = body("import os\nreturn [type(args).__name__, os.getcwd.__name__, await agent('x')]")
    assert (await play(script, limits=LIMITS)).result == ["dict", "getcwd", "echo:x"]


@pytest.mark.timeout(240)
async def test_with_neither_wall_the_scripts_reach_what_they_are_after(
    bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_BOOT", NEITHER)
    aims: dict[str, set[str]] = {}
    for path in sorted((SCRIPTS / "hostile").glob("*.py")):
        if not path.stem.startswith(EXHAUSTING):
            aims[path.stem] = reached(await end_of(path, bait), bait)
    successful = [name for name, found in aims.items() if found]
    assert set().union(*aims.values()) == {"read", "written", "connected"}
    assert len(successful) > len(aims) / 2, sorted(aims.keys() - successful)
