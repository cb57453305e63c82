"""What a run knows of a workspace of 100,000 files, against what git asks for a look at the same tree."""

from __future__ import annotations

import gc
import os
import subprocess
import time
from pathlib import Path

from benchmarks.figure import Figure, best
from engine.workspace.survey import survey

FILES = 100_000
_GIT = (
    "git",
    "-c",
    "user.name=bench",
    "-c",
    "user.email=bench@example.com",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=0",
)


def workspace(folder: Path) -> list[Figure]:
    """The manifest of a repository, its part by patterns, and a plain folder, each the second time."""
    tree = folder / "tree"
    names = _make_files(tree)
    kept = folder / "cache" / "contents"
    _settle(tree)
    gc.freeze()  # as the command does, whose garbage is looked for as seldom
    gc.set_threshold(100_000, 20, 20)
    plain, floor = best(lambda: _manifest(tree, kept), lambda: _look(tree, names), 3)
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "all")):
        subprocess.run([*_GIT, *command], cwd=tree, check=True, capture_output=True)
    second, status = best(lambda: _manifest(tree, kept), lambda: _status(tree), 11)
    part, _ = best(lambda: _part(tree, kept), lambda: 0.0, 3)
    return [
        Figure(
            what=f"manifest of {FILES:,} files, second time", floor_name="git status",
            ours=second * 1000, floor=status * 1000, unit="ms", most=1.5,
        ),
        Figure(
            what="the same, and the fingerprint of `reads` patterns", floor_name="git status",
            ours=part * 1000, floor=status * 1000, unit="ms", most=4,
        ),
        Figure(
            what="the same files without git, second time", floor_name="os.walk and lstat",
            ours=plain * 1000, floor=floor * 1000, unit="ms", most=4,
        ),
    ]  # fmt: skip


def _make_files(tree: Path) -> list[str]:
    names: list[str] = []
    for number in range(FILES):
        folder = tree / f"package_{number // 1000}" / f"module_{number // 50 % 20}"
        if number % 50 == 0:
            folder.mkdir(parents=True)
        path = f"{folder}/file_{number}.py"
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - a hundred thousand times
            file.write(f"value = {number}\n" * 5)
        names.append(path)
    return names


def _settle(tree: Path) -> None:
    """Remember the contents: the first time reads them, and the next only once the files are no longer young."""
    newest = max(path.lstat().st_ctime for path in tree.rglob("*"))
    time.sleep(max(0.0, newest + 2.5 - time.time()))


def _manifest(tree: Path, kept: Path) -> float:
    started = time.perf_counter()
    assert len(survey(tree, kept).manifest.fingerprint(None)) == 64
    return time.perf_counter() - started


def _part(tree: Path, kept: Path) -> float:
    started = time.perf_counter()
    survey(tree, kept).manifest.fingerprint(("package_5/**", "*_7*.py", "!package_9/"))
    return time.perf_counter() - started


def _status(tree: Path) -> float:
    started = time.perf_counter()
    subprocess.run(["git", "status", "--porcelain"], cwd=tree, check=True, capture_output=True)
    return time.perf_counter() - started


def _look(tree: Path, names: list[str]) -> float:
    started = time.perf_counter()
    found = sum(len(files) for _, _, files in os.walk(tree))
    for name in names:
        os.lstat(name)
    assert found == len(names)
    return time.perf_counter() - started
