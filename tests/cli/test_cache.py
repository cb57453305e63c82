"""`mco cache`, as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import Mco

TWO = """\
meta = {"name": "two", "description": "asks twice"}

async def main(args):
    first = await agent("one", reads=[])
    return [first, await agent(args.get("second", "two"), reads=[], retries=0)]
"""
RUN = ("run", "two.py", "--provider", "fake", "--plain")


@pytest.fixture
def two(project: Path) -> Path:
    path = project / "two.py"
    path.write_text(TWO)
    return path


def counted(mco: Mco) -> int:
    return json.loads(mco("cache", "stats", "--json").stdout)["answers"]


def test_stats_say_what_is_kept_and_where(mco: Mco, two: Path):
    assert "answers    0" in mco("cache", "stats").stdout
    mco(*RUN)
    said = mco("cache", "stats")
    assert (said.code, said.stderr) == (0, "")
    assert "answers    2" in said.stdout
    assert "providers  fake 2" in said.stdout
    assert str(two.parent) not in said.stdout.split("where")[1]


def test_verify_names_a_row_that_is_not_sound_and_drops_it(mco: Mco, two: Path):
    import sqlite3
    from contextlib import closing

    mco(*RUN)
    folder = Path(json.loads(mco("cache", "stats", "--json").stdout)["folder"])
    with closing(sqlite3.connect(folder / "cache.db")) as store, store:
        store.execute("UPDATE Cache SET value = '\x1b[31m{' WHERE rowid = 1")
    said = mco("cache", "verify")
    assert said.code == 1
    assert "1 answer sound, 1 not" in said.stdout
    assert "\x1b" not in said.stdout
    assert "--drop" in said.stderr
    assert mco("cache", "verify", "--drop").code == 0
    assert mco("cache", "verify").stdout == "1 answer sound, 0 not\n"


def test_answers_go_by_age_and_size_and_a_dry_run_leaves_them(mco: Mco, two: Path):
    mco(*RUN)
    assert "2 answers" in mco("cache", "prune", "--max-size", "0", "--dry-run").stdout
    assert counted(mco) == 2
    assert mco("cache", "prune").stdout.startswith("0 answers")
    assert "2 answers" in mco("cache", "prune", "--max-size", "0").stdout
    assert counted(mco) == 0


def test_what_an_unfinished_run_needs_stays_until_it_is_taken_up_again(mco: Mco, two: Path):
    fails = 'ALWAYS["raise"]'  # the script fails behind its first step
    two.write_text(TWO.replace('args.get("second", "two")', fails))
    assert mco(*RUN).code == 1
    said = mco("cache", "clear", "--yes")
    assert "0 answers (0 B) deleted; 1 answer stays for unfinished runs" in said.stdout
    two.write_text(TWO)
    assert mco("resume", "last", "--plain").code == 0
    assert "2 answers" in mco("cache", "clear", "--yes").stdout
    assert counted(mco) == 0


def test_all_really_means_all(mco: Mco, two: Path):
    two.write_text(TWO.replace('args.get("second", "two")', 'ALWAYS["raise"]'))
    mco(*RUN)
    assert "1 answer" in mco("cache", "clear", "--yes", "--all").stdout
    assert counted(mco) == 0


def test_nothing_is_cleared_without_a_yes(mco: Mco, two: Path):
    mco(*RUN)
    said = mco("cache", "clear")
    assert said.code == 2
    assert "--yes" in said.stderr
    assert counted(mco) == 2


def test_what_one_exports_another_run_finds(mco: Mco, two: Path, project: Path):
    mco(*RUN)
    assert mco("cache", "export", "answers.jsonl").stderr == "2 answers written to answers.jsonl\n"
    mco("cache", "clear", "--yes")
    assert mco("cache", "import", "answers.jsonl").stderr == "2 answers taken in, 0 known before\n"
    assert "2 steps · 2 reused" in mco(*RUN).stderr


def test_the_answers_of_one_run_can_be_exported_alone(mco: Mco, two: Path):
    mco(*RUN)
    mco(*RUN, "-a", "second=three")
    assert mco("cache", "export", "all.jsonl").stderr.startswith("3 answers")
    assert mco("cache", "export", "some.jsonl", "--run", "last").stderr.startswith("2 answers")


def test_a_file_that_was_altered_is_refused_with_its_line(mco: Mco, two: Path, project: Path):
    mco(*RUN)
    mco("cache", "export", "answers.jsonl")
    file = project / "answers.jsonl"
    file.write_text(file.read_text().replace("echo:one", "echo:lie"))
    said = mco("cache", "import", "answers.jsonl")
    assert said.code == 2
    assert "it was altered" in said.stderr
    assert "Traceback" not in said.stderr
