"""What mco adds to a call of the real coding agents, where MCO_TEST_CLIS names them: reported, since they vary."""

from __future__ import annotations

import os
import shlex
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from math import inf
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.providers import PROMISED_MILLISECONDS, seconds_of_calls
from benchmarks.rig import surroundings
from engine.testing.provider_rig import Place
from tests.providers.agents import clis
from tests.providers.agents.real_rig import RealRig


def _rigs() -> Iterator[tuple[str, RealRig]]:
    from tests.providers.agents import (
        test_claude_real,
        test_codex_real,
        test_gemini_real,
        test_opencode_real,
        test_qwen_real,
    )

    yield "claude", test_claude_real.ClaudeRig()
    yield "codex", test_codex_real.CodexRig()
    yield "gemini", test_gemini_real.GeminiRig()
    yield "opencode", test_opencode_real.OpenCodeRig()
    yield "qwen", test_qwen_real.QwenRig()


def real_calls(folder: Path, count: int = 7) -> list[Figure]:
    """From queued to finished, less what the program took: it is timed by a script around it, call by call."""
    programs = clis.PROGRAMS
    found = [(name, rig) for name, rig in _rigs() if clis.FOLDER and (programs / name).exists()]
    return [_added(folder / name, name, rig, programs, count) for name, rig in found]


def _added(folder: Path, name: str, rig: RealRig, programs: Path, count: int) -> Figure:
    folder.mkdir()
    times = _timed(folder / "bin", name, programs / name)
    os.environ.update({"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")})
    clis.PROGRAMS = folder / "bin"
    with ExitStack() as stack:
        provider = rig.answers(Place(folder, stack), "fine").provider
        whole = list(seconds_of_calls(surroundings(folder, providers={name: provider}), count))
    moments = [int(line) / 1e9 for line in times.read_text().split()]
    alone = [ended - began for began, ended in list(pairwise(moments))[::2]]
    added = [both - one for both, one in zip(whole, alone, strict=True)]
    return Figure(
        what=f"the same with the real {name}", floor_name="promised",
        ours=statistics.median(added) * 1000, floor=PROMISED_MILLISECONDS, unit="ms", most=inf,
    )  # fmt: skip


def _timed(folder: Path, name: str, program: Path) -> Path:
    """Put a script in the program's place that writes down when it begins and ends; the file with the times."""
    folder.mkdir()
    times = folder / "times"
    stamp = f"date +%s%N >> {shlex.quote(str(times))}"
    script = f'#!/bin/sh\n{stamp}\n{shlex.quote(str(program))} "$@"\ncode=$?\n{stamp}\nexit $code\n'
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)
    return times
