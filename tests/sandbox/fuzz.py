"""Random scripts against wall 1, for as long as you like: `python -m tests.sandbox.fuzz --seconds 300`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import IO, Any

from tests.sandbox.grammar import Grammar

ROOT = Path(__file__).parents[2]
POISONED = (0, 0, 1, 3)


class Keeper:
    """Keeps one pen, and another when it died of what it was fed."""

    def __init__(self, hole: str = "") -> None:
        self._hole = hole
        self._pen: subprocess.Popen[str] | None = None

    def feed(self, source: str) -> dict[str, Any]:
        """The verdict over a script; `died` when it took its process along."""
        pen = self._pen or self._new()
        to_pen, from_pen = _pipes(pen)
        try:
            to_pen.write(json.dumps(source) + "\n")
            to_pen.flush()
            said = from_pen.readline()
        except BrokenPipeError:
            said = ""
        if said:
            return json.loads(said)
        code = pen.wait()  # its end of the pipe is closed: it is gone, or about to be
        self.close()
        return {"verdict": "died", "found": [], "code": code}

    def close(self) -> None:
        """End the pen."""
        if self._pen is not None:
            self._pen.kill()
            self._pen.communicate()
            self._pen = None

    def _new(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-m", "tests.sandbox.pen", self._hole]
        pipe = subprocess.PIPE
        self._pen = subprocess.Popen(
            command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        return self._pen


def _pipes(pen: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert pen.stdin is not None
    assert pen.stdout is not None
    return pen.stdin, pen.stdout


def written(seed: int) -> str:
    """The script of a number: the same one makes the same script."""
    random = Random(seed)
    return Grammar(random, random.choice(POISONED)).script()


def say(line: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Try scripts until the time is over; 1 when one came by what it should not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first script")
    options = parser.parse_args()
    verdicts: Counter[str] = Counter()
    keeper, seed, escaped = Keeper(), options.seed, 0
    until = time.monotonic() + options.seconds
    while time.monotonic() < until:
        judged = keeper.feed(written(seed))
        verdicts[judged["verdict"]] += 1
        if judged["verdict"] == "died":
            say(f"seed {seed}: took its process along, exit code {judged['code']}")
        if judged["found"]:
            escaped += 1
            say(f"seed {seed}: {'; '.join(judged['found'])}")
        seed += 1
    keeper.close()
    tried = sum(verdicts.values())
    accepted = tried - verdicts["refused"]
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common())
    say(f"{tried:,} scripts tried, {accepted:,} accepted and run ({counts}); {escaped} found something")
    return 1 if escaped else 0


if __name__ == "__main__":
    raise SystemExit(main())
