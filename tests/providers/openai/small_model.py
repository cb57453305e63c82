"""A real small model behind a real server, where `make model` put them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

import pytest

FOLDER = os.environ.get("MCO_TEST_MODEL", "")
"""Read when tests are collected: while they run, the environment is their own."""
KEY = "a-key-for-the-small-model"

needs_model = pytest.mark.skipif(
    not FOLDER or not (Path(FOLDER) / "installed").exists(),
    reason="the small model is not installed: `make model` says how",
)


class SmallModel(NamedTuple):
    """Where it answers."""

    address: str

    def tokens_said(self) -> int:
        """How many it has said so far, to anybody."""
        request = Request(f"{self.address}/metrics", headers={"Authorization": f"Bearer {KEY}"})
        with urlopen(request, timeout=30) as reply:
            found = re.search(r"^llamacpp:tokens_predicted_total (\d+)", reply.read().decode(), re.MULTILINE)
        assert found is not None
        return int(found[1])


@contextmanager
def served(log: Path) -> Generator[SmallModel]:
    """The model in a process of its own. What it logs goes to a file."""
    script = Path(__file__).with_name("serve_model.py")
    # Threads that spin while they wait would take the processor from everything else.
    patient = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "PATH": os.environ["PATH"]}
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, str(script), FOLDER, KEY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=patient,
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            address = child.stdout.readline().decode().strip()
            assert address, log.read_text(errors="replace")[-2000:]
            yield SmallModel(address)
        finally:
            child.stdin.close()
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
