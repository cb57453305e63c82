"""What mco keeps is bounded after a run: by size at once, by age once a day, and never what somebody still needs."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.record.events import Event, RunFinished, RunStarted, StepFinished, StepQueued
from engine.record.folder import RunFolder
from engine.settings import Settings
from engine.workspace.kept import ManifestEntry, keep_manifest, write_entries
from engine.workspace.manifest import Manifest
from tests.cli.console import Mco
from tests.store.rows_of import keep, kept
from workflows.cli.caller import Caller
from workflows.cli.upkeep import answers_folder, tidy

NOW = 1_795_258_497.0
HOUR, DAY = 3_600.0, 86_400.0
RUN = "20261121-110457-3f9a"
LIMITS: dict[str, Any] = {"cache_mb": 1, "expire_days": 30}
SETTINGS = Settings(**LIMITS)


@pytest.fixture
def caller(project: Path) -> Caller:
    return Caller(project, os.environ, lambda: NOW, random.Random(7))


@pytest.fixture
def store(caller: Caller) -> Path:
    return answers_folder(caller)


@pytest.fixture
def looked(store: Path) -> Callable[[float], Path]:
    """The store was last looked through so many seconds ago."""

    def set_time(ago: float) -> Path:
        mark = store / "tidied"
        mark.touch()
        os.utime(mark, (NOW - ago, NOW - ago))
        return mark

    return set_time


def a_run(caller: Caller, key: str, *, ended: bool) -> RunFolder:
    """A run with one answered step under that key."""
    folder = RunFolder.create(caller.places.runs, RUN)
    events: list[Event] = [
        RunStarted(seq=1, at=1.0, run_id=RUN, workflow="w"),
        StepQueued(seq=2, at=1.0, step=1, label="one", key=key),
        StepFinished(seq=3, at=1.0, step=1, provider="fake", seconds=1.0),
    ]
    if ended:
        events.append(RunFinished(seq=4, at=1.0, status="done", seconds=1.0))
    folder.journal.write_text("".join(f"{event.model_dump_json()}\n" for event in events))
    return folder


def test_what_is_too_much_goes_at_once_the_oldest_first(
    caller: Caller, store: Path, looked: Callable[[float], Path]
):
    half = "x" * 600_000
    (old,) = keep(store, "old", made_at=NOW - HOUR, value=half)
    (young,) = keep(store, "young", made_at=NOW, value=half)
    looked(1.0)
    tidy(caller, SETTINGS)
    assert not kept(store, old)
    assert kept(store, young)


def test_as_long_as_there_is_room_age_is_looked_at_once_a_day(
    caller: Caller, store: Path, looked: Callable[[float], Path]
):
    (old,) = keep(store, "old", made_at=NOW - 31 * DAY)
    (young,) = keep(store, "young", made_at=NOW - 29 * DAY)
    looked(DAY - HOUR)
    tidy(caller, SETTINGS)
    assert kept(store, old)

    mark = looked(DAY + HOUR)
    before = mark.stat().st_mtime
    tidy(caller, SETTINGS)
    assert not kept(store, old)
    assert kept(store, young)
    assert mark.stat().st_mtime != before


def test_a_store_that_nobody_has_looked_through_is_due(caller: Caller, store: Path):
    (old,) = keep(store, "old", made_at=NOW - 31 * DAY)
    tidy(caller, SETTINGS)
    assert not kept(store, old)
    assert (store / "tidied").exists()


@pytest.mark.parametrize("made_at", [NOW - 31 * DAY, NOW])
def test_what_an_unfinished_run_needs_stays_whatever_its_age_and_size(
    caller: Caller, store: Path, made_at: float
):
    (needed,) = keep(store, "needed", made_at=made_at, value="x" * 2_000_000)
    a_run(caller, needed, ended=False)
    tidy(caller, SETTINGS)
    assert kept(store, needed)


def test_what_only_finished_runs_had_goes(caller: Caller, store: Path):
    (key,) = keep(store, "not needed", made_at=NOW - 31 * DAY)
    a_run(caller, key, ended=True)
    tidy(caller, SETTINGS)
    assert not kept(store, key)


def test_where_nothing_is_kept_nothing_is_made(caller: Caller, store: Path):
    tidy(caller, SETTINGS)
    assert not store.exists()


def test_a_store_that_cannot_be_read_is_a_warning_and_costs_nothing(
    caller: Caller, store: Path, capsys: pytest.CaptureFixture[str]
):
    store.mkdir(parents=True)
    (store / "cache.db").write_bytes(b"no database at all" * 100)
    tidy(caller, SETTINGS)
    said = capsys.readouterr()
    assert said.err.startswith("warning: the answer store was not tidied: ")
    assert said.out == ""


def aged_manifest(caller: Caller, name: str) -> Path:
    """A kept manifest of long ago, with one file of that name."""
    manifest = Manifest({name: "0" * 40})
    caller.places.state.mkdir(exist_ok=True)
    keep_manifest(caller.places.state, manifest)
    path = caller.places.state / "manifests" / manifest.digest
    os.utime(path, (NOW - 2 * DAY, NOW - 2 * DAY))
    return path


def test_lists_of_files_that_no_run_names_go(caller: Caller, store: Path):
    keep(store, "any", made_at=NOW)
    named, unused = aged_manifest(caller, "named"), aged_manifest(caller, "unused")
    run = a_run(caller, "0" * 64, ended=True)
    write_entries(run.path, [ManifestEntry(digest=named.name, made_at=1.0, files=1)])
    tidy(caller, SETTINGS)
    assert named.exists()
    assert not unused.exists()


def test_a_run_looks_after_what_is_kept(mco: Mco, hello: Path, caller: Caller, store: Path):
    (old,) = keep(store, "old", made_at=NOW - 31 * DAY)
    unused = aged_manifest(caller, "unused")
    assert mco("run", "hello.py", "-a", "times=1", "--provider", "fake", "--plain").code == 0
    assert not kept(store, old)
    assert not unused.exists()
