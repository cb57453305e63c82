"""A save is noticed however an editor makes it, and what is no save is not; with the real watcher."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from workflows.rerun import RunTexts, Saves, folders_of


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write(path: Path) -> None:
    path.write_text("new")


def replace(path: Path) -> None:
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text("new")
    draft.replace(path)


def rename_away_and_write(path: Path) -> None:
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text("new")


def delete_and_create(path: Path) -> None:
    path.unlink()
    path.write_text("new")


def write_twice(path: Path) -> None:
    path.write_text("half of")
    path.write_text("new")


def empty_and_write(path: Path) -> None:
    path.write_text("")
    path.write_text("new")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "flow.py"
    path.write_text("old")
    return path


def texts_of(*paths: Path) -> RunTexts:
    texts = RunTexts()
    for path in paths:
        texts.took(path, digest(path.read_text()))
    return texts


@pytest.mark.parametrize(
    "save", [write, replace, rename_away_and_write, delete_and_create, write_twice, empty_and_write]
)
@pytest.mark.anyio
async def test_a_save_is_noticed_however_it_is_made(script: Path, save: Callable[[Path], None]) -> None:
    saves = Saves(texts_of(script))
    async with anyio.create_task_group() as tasks:
        await tasks.start(saves.watch, folders_of([script], []))
        save(script)
        assert await saves.change() == [script]
        tasks.cancel_scope.cancel()

    assert script.read_text() == "new"


@pytest.mark.anyio
async def test_a_save_of_the_same_text_is_none_and_the_next_is_one(script: Path) -> None:
    texts = texts_of(script)
    other = script.with_name("other.py")
    other.write_text("old")
    texts.took(other, digest("old"))
    saves = Saves(texts)
    async with anyio.create_task_group() as tasks:
        await tasks.start(saves.watch, folders_of([script], []))
        script.write_text("old")
        os.utime(script)
        other.write_text("new")
        assert await saves.change() == [other]
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_save_that_somebody_heard_of_and_did_not_act_on_is_told_again(script: Path) -> None:
    texts = texts_of(script)
    saves = Saves(texts)
    async with anyio.create_task_group() as tasks:
        await tasks.start(saves.watch, folders_of([script], []))
        script.write_text("new")
        assert await saves.change() == await saves.change() == [script]
        texts.took(script, digest("new"))
        with anyio.CancelScope() as waiting:
            tasks.start_soon(_cancel_when_idle, waiting)
            await saves.change()
        assert waiting.cancelled_caught
        tasks.cancel_scope.cancel()


async def _cancel_when_idle(scope: anyio.CancelScope) -> None:
    await anyio.wait_all_tasks_blocked()
    scope.cancel()


@pytest.mark.anyio
async def test_what_a_link_points_to_counts(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "flow.py").write_text("old")
    link = tmp_path / "flow.py"
    link.symlink_to(real / "flow.py")
    saves = Saves(texts_of(link))
    async with anyio.create_task_group() as tasks:
        await tasks.start(saves.watch, folders_of([link], []))
        replace(real / "flow.py")
        assert await saves.change() == [link]
        tasks.cancel_scope.cancel()


def test_a_file_that_is_gone_or_empty_is_no_change(script: Path) -> None:
    texts = texts_of(script)
    script.write_text("")
    assert texts.changed() == []
    script.unlink()
    assert texts.changed() == []


def test_what_no_run_will_take_is_no_change_any_more(script: Path) -> None:
    texts = texts_of(script)
    script.write_text("new")
    texts.settle()
    assert texts.changed() == []
    script.write_text("newer")
    assert texts.changed() == [script]


def test_what_a_run_has_not_called_yet_is_no_change(script: Path) -> None:
    called = script.with_name("called.py")
    called.write_text("old")
    texts = texts_of(script, called)
    texts.begin(script, digest("old"))
    called.write_text("new")
    assert texts.changed() == []


def test_only_folders_that_are_there_are_watched(script: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()

    assert folders_of([script], [there, tmp_path / "nowhere"]) == [tmp_path, there]
