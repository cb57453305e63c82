"""Claims between real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from engine.store.claims import Claims

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such locks there")

KEY, OTHER = "ab" * 32, "cd" * 32
HOLDER = """
import sys
from pathlib import Path
from engine.store.claims import Claims
claims = Claims(Path(sys.argv[1]), None)
print(claims.take(sys.argv[2]), flush=True)
sys.stdin.readline()
claims.let_go(sys.argv[2])
print("gone", flush=True)
sys.stdin.readline()
"""


@contextmanager
def another_process(path: Path, key: str) -> Generator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", HOLDER, str(path), key]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        arguments, stdin=pipe, stdout=pipe, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            assert said(process) == "True"
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


async def never(seconds: float) -> None:
    raise AssertionError("nobody is to wait")


def test_what_another_process_claims_is_not_free_until_it_lets_go(tmp_path: Path):
    claims = Claims(tmp_path / "claims", never)
    with another_process(tmp_path / "claims", KEY) as process:
        assert not claims.take(KEY)
        assert claims.take(OTHER)
        tell(process)
        assert said(process) == "gone"
        assert claims.take(KEY)
    claims.close()


def test_a_claim_ends_with_the_process_that_holds_it(tmp_path: Path):
    claims = Claims(tmp_path / "claims", never)
    with another_process(tmp_path / "claims", KEY) as process:
        process.kill()
        process.wait()
        assert claims.take(KEY)
    claims.close()


@pytest.mark.anyio
async def test_who_waits_has_the_claim_when_the_other_lets_go(tmp_path: Path):
    waits = 0

    async def wait(seconds: float) -> None:
        nonlocal waits
        waits += 1
        tell(process)
        assert await anyio.to_thread.run_sync(said, process) == "gone"

    claims = Claims(tmp_path / "claims", wait)
    with another_process(tmp_path / "claims", KEY) as process:
        await claims.wait(KEY)
    assert waits == 1
    claims.close()


def test_where_nothing_can_be_locked_every_claim_is_free(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    claims = Claims(tmp_path / "file" / "claims", never)
    assert claims.take(KEY)
    claims.let_go(KEY)
    claims.close()
    claims.close()
