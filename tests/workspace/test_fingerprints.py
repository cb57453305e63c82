"""What a run goes by: made once, kept, handed on to the run that takes it up again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import Question
from engine.record.events import StepQueued
from engine.step import Step
from engine.workspace import survey
from engine.workspace.changes import changed_names
from engine.workspace.fingerprints import Seen, Where, WorkspaceFingerprints
from engine.workspace.kept import LIST, load_manifest, read_entries
from tests.rig import Rig, events

pytestmark = pytest.mark.anyio

READS_ALL, READS_NOTHING = Step(prompt="p"), Step(prompt="p", reads=())


class Folder:
    """A workspace, its runs, and the surveys that were made of it."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path / "workspace"
        self.path.mkdir()
        self.cache = path / "cache"
        self.warnings: list[str] = []
        self.surveys = 0
        made = survey.survey

        def counted(*arguments: Any) -> survey.Survey:
            self.surveys += 1
            return made(*arguments)

        monkeypatch.setattr(survey, "survey", counted)

    @property
    def state(self) -> Path:
        return self.path / ".mco"

    def run(self, name: str, parent: str | None = None, script: Path | None = None) -> WorkspaceFingerprints:
        runs = self.state / "runs"
        (runs / name).mkdir(parents=True, exist_ok=True)
        above = None if parent is None else runs / parent
        where = Where(self.path, self.state, runs / name, self.cache, above, script)
        return WorkspaceFingerprints(where, clock=lambda: 1.0, warn=self.warnings.append)

    def entries(self, name: str) -> list[tuple[str, str | None]]:
        return [(entry.digest, entry.after) for entry in read_entries(self.state / "runs" / name)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    made = Folder(tmp_path, monkeypatch)
    (made.path / "a").write_text("first")
    return made


async def prepared(run: WorkspaceFingerprints) -> str:
    """The digest of the files as they are now."""
    return (await all_prepared(run))[-1]


async def all_prepared(run: WorkspaceFingerprints) -> list[str]:
    """The digests of the files as earlier runs saw them, then as they are now."""
    await run.prepare()
    digests = [seen.manifest for seen in run.seen(READS_ALL) if seen.manifest is not None]
    assert digests
    return digests


async def test_a_step_that_reads_nothing_needs_no_manifest(folder: Folder):
    run = folder.run("one")
    assert run.known(READS_NOTHING)
    assert run.seen(READS_NOTHING) == (Seen(None, None),)
    assert not run.known(READS_ALL)
    assert folder.surveys == 0
    assert not (folder.state / "manifests").exists()


async def test_a_manifest_is_made_once_and_kept_with_the_run(folder: Folder):
    run = folder.run("one")
    digest = await prepared(run)
    (folder.path / "a").write_text("changed behind its back")
    assert await prepared(run) == digest
    assert run.seen(READS_ALL) == (Seen(digest, digest),)
    assert folder.surveys == 1
    assert folder.entries("one") == [(digest, None)]


async def test_behind_a_writer_the_files_are_looked_at_again(folder: Folder):
    run = folder.run("one")
    first = await prepared(run)
    (folder.path / "a").write_text("written")
    run.forget("writer")
    assert not run.known(READS_ALL)
    second = await prepared(run)
    assert folder.entries("one") == [(first, None), (second, "writer")]
    assert first != second


async def test_a_resumed_run_sees_what_its_parents_saw_and_what_there_is_now(folder: Folder):
    first = await prepared(folder.run("one"))
    (folder.path / "a").write_text("edited")
    assert await all_prepared(folder.run("two", "one")) == [
        first,
        second := await prepared(folder.run("new")),
    ]
    (folder.path / "a").write_text("edited again")
    assert await all_prepared(folder.run("three", "two")) == [
        first,
        second,
        await prepared(folder.run("new")),
    ]


async def test_where_no_file_has_changed_there_is_one_thing_to_see_and_nothing_to_say(folder: Folder):
    first = await prepared(folder.run("one"))
    assert await all_prepared(folder.run("two", "one")) == [first]
    assert folder.warnings == []


async def test_that_files_have_changed_since_the_parent_is_said_with_their_names(folder: Folder):
    await prepared(folder.run("one"))
    (folder.path / "a").write_text("edited")
    await prepared(folder.run("two", "one"))
    (warning,) = folder.warnings
    assert warning.startswith("files have changed since run one (changed: a): ")


async def test_a_step_whose_files_have_not_changed_sees_them_once(folder: Folder):
    await prepared(folder.run("one"))
    (folder.path / "b").write_text("new")
    run = folder.run("two", "one")
    await run.prepare()
    assert len(run.seen(Step(prompt="p", reads=("a",)))) == 1
    assert len(run.seen(READS_ALL)) == 2


async def test_the_runs_own_script_is_no_part_of_what_is_read(folder: Folder):
    script = folder.path / "flow.py"
    script.write_text("one")
    first = await prepared(folder.run("one", script=script))
    script.write_text("two")
    assert await prepared(folder.run("two", script=script)) == first
    assert await prepared(folder.run("three")) != first


async def test_behind_a_reused_writer_what_the_parent_saw_next_is_seen(folder: Folder):
    parent = folder.run("one")
    await prepared(parent)
    (folder.path / "a").write_text("written")
    parent.forget("writer")
    second = await prepared(parent)
    (folder.path / "a").write_text("edited")
    run = folder.run("two", "one")
    third = await prepared(run)
    run.follow("writer")
    assert await all_prepared(run) == [second, third]


async def test_behind_a_writer_that_ran_again_the_files_are_looked_at(folder: Folder):
    parent = folder.run("one")
    await prepared(parent)
    parent.forget("writer")
    second = await prepared(parent)
    run = folder.run("two", "one")
    await prepared(run)
    (folder.path / "a").write_text("written otherwise")
    run.forget("writer")
    assert await prepared(run) != second


async def test_a_parent_that_needed_no_files_leaves_those_of_now_without_a_warning(folder: Folder):
    folder.run("one")
    await prepared(folder.run("two", "one"))
    assert folder.surveys == 1
    assert folder.warnings == []


@pytest.mark.parametrize("damaged", ["list", "manifest"])
async def test_a_damaged_parent_is_said_and_the_files_of_now_count(folder: Folder, damaged: str):
    digest = await prepared(folder.run("one"))
    path = folder.state / "runs" / "one" / LIST if damaged == "list" else folder.state / "manifests" / digest
    path.write_text("torn")
    (folder.path / "a").write_text("edited")
    assert await prepared(folder.run("two", "one")) != digest
    (warning,) = folder.warnings
    assert "run one" in warning


async def test_a_manifest_that_cannot_be_kept_costs_a_warning_and_not_the_run(folder: Folder):
    folder.state.mkdir(exist_ok=True)
    (folder.state / "manifests").write_text("a file where a folder should be")
    run = folder.run("one")
    await run.prepare()
    (seen,) = run.seen(READS_ALL)
    assert seen.fingerprint is not None
    assert seen.manifest is None
    (warning,) = folder.warnings
    assert "could not be kept" in warning


async def test_what_was_written_while_it_was_made_is_looked_at_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
):
    run = folder.run("one")
    look = survey.survey

    def overtaken(*arguments: Any) -> survey.Survey:
        found = look(*arguments)
        if folder.surveys == 1:
            (folder.path / "a").write_text("written meanwhile")
            run.forget("writer")
        return found

    monkeypatch.setattr(survey, "survey", overtaken)
    await run.prepare()
    assert folder.surveys == 2
    assert folder.entries("one") == [(run.seen(READS_ALL)[0].manifest, "writer")]


async def test_what_git_could_not_do_is_told(folder: Folder):
    (folder.path / ".git").write_text("gitdir: nowhere")
    await folder.run("one").prepare()
    (warning,) = folder.warnings
    assert warning.startswith("git does not read")


async def test_a_run_lists_what_its_steps_went_by(tmp_path: Path):
    rig = Rig(tmp_path)
    (rig.workspace / "a").write_text("first")

    def reply(question: Question) -> str:
        if question.prompt == "write":
            (rig.workspace / "a").write_text("written")
        return question.prompt

    source = (
        'async def main(args):\n    await agent("read")\n    await agent("write", access="write")\n'
        '    return await agent("read again")\n'
    )
    outcome = await rig.run(source, reply=reply, access="write")
    first, second = read_entries(outcome.folder)
    queued = [event for event in events(outcome) if isinstance(event, StepQueued)]
    assert (first.after, second.after) == (None, queued[1].key)
    lines = [json.loads(line) for line in (outcome.folder / "steps.jsonl").read_text().splitlines()]
    assert [line["manifest"] for line in lines] == [first.digest, first.digest, second.digest]
    before, after = (load_manifest(rig.workspace / ".mco", entry.digest) for entry in (first, second))
    assert before is not None
    assert after is not None
    assert changed_names(before, after)["changed"] == ["a"]
