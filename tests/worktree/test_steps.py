"""Steps with `isolation="worktree"` in real runs: where they work, what is offered, what is found again."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from engine.errors import StepFailed
from engine.providers.base import Question
from engine.providers.fake import FakeProvider
from engine.record.events import Logged, StepFinished, StepReused
from engine.record.folder import RunFolder
from engine.record.patches import KeptPatch, PatchFolder
from engine.surroundings import RunOutcome
from tests.rig import Rig, events
from tests.worktree.conftest import git

pytestmark = pytest.mark.anyio

WRITE = 'access="write", isolation="worktree"'
ONE = f"""
async def main(args):
    return await agent("write one", label="one", {WRITE})
"""


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    git(rig.workspace, "init", "--quiet")
    (rig.workspace / "text").write_text("".join(f"line {number}\n" for number in range(30)))
    git(rig.workspace, "add", "--all")
    git(rig.workspace, "commit", "--quiet", "--message", "first")
    return rig


def write(question: Question) -> str:
    """An agent that writes a file by the last word of its prompt, where it was told to work."""
    (question.workspace / question.prompt.split()[-1]).write_text("written")
    return "done"


def patches(outcome: RunOutcome) -> list[KeptPatch]:
    return PatchFolder(RunFolder(outcome.folder)).all()


def worktrees(rig: Rig) -> list[Path]:
    return list(rig.surroundings().workspace_cache.glob("worktrees/*"))


async def test_the_agent_works_in_a_copy_and_its_changes_are_offered(rig: Rig) -> None:
    outcome = await rig.run(ONE, reply=write, access="write")
    (patch,) = patches(outcome)

    assert outcome.result == "done"
    assert rig.asked[0].workspace != rig.workspace
    assert not (rig.workspace / "one").exists()
    assert (patch.state, [file.path for file in patch.facts.files]) == ("offered", ["one"])
    assert "Patches offered: 1" in (outcome.folder / "summary.md").read_text()
    assert worktrees(rig) == []


async def test_the_record_says_what_was_changed(rig: Rig) -> None:
    outcome = await rig.run(ONE, reply=write, access="write")
    (finished,) = [event for event in events(outcome) if isinstance(event, StepFinished)]

    assert finished.patch is not None
    assert finished.patch.model_dump() == {"patches": 1, "files": 1, "added": 1, "removed": 0}


async def test_a_step_that_changed_nothing_offers_nothing(rig: Rig) -> None:
    outcome = await rig.run(ONE, access="write")

    assert (outcome.status, patches(outcome), worktrees(rig)) == ("done", [], [])
    assert not (outcome.folder / "patches").exists()


async def test_a_reused_step_offers_its_patch_again(rig: Rig) -> None:
    first = await rig.run(ONE, reply=write, access="write")
    second = await rig.run(ONE, reply=write, access="write")
    (reused,) = [event for event in events(second) if isinstance(event, StepReused)]
    (patch,) = patches(second)

    assert len(rig.asked) == 1
    assert reused.patch is not None
    assert (patch.state, patch.facts.from_run) == ("offered", first.run_id)
    assert patch.path.read_bytes() == patches(first)[0].path.read_bytes()


async def test_a_change_in_the_workspace_makes_it_run_again(rig: Rig) -> None:
    await rig.run(ONE, reply=write, access="write")
    (rig.workspace / "text").write_text("other")
    await rig.run(ONE, reply=write, access="write")

    assert len(rig.asked) == 2


async def test_all_providers_have_a_worktree_and_a_patch_each(rig: Rig) -> None:
    rig.providers["other"] = FakeProvider(write, name="other")
    outcome = await rig.run(
        f"""
async def main(args):
    return await agent("write one", providers=["fake", "other"], strategy="all", label="both", {WRITE})
""",
        reply=write,
        access="write",
    )

    assert {patch.facts.provider for patch in patches(outcome)} == {"fake", "other"}
    assert [event.message for event in events(outcome) if isinstance(event, Logged)] == [
        "patches 1 (both) and 2 (both) collide in one (same_line)"
    ]
    assert worktrees(rig) == []


async def test_what_the_loser_of_a_race_did_is_dropped(rig: Rig) -> None:
    async def slow(question: Question) -> str:
        (question.workspace / "slow").write_text("x")
        await anyio.sleep_forever()
        raise AssertionError("nobody stopped it")

    rig.providers["slow"] = FakeProvider(slow, name="slow")
    outcome = await rig.run(
        f"""
async def main(args):
    return await agent("write one", providers=["slow", "fake"], strategy="race", {WRITE})
""",
        reply=write,
        access="write",
    )

    assert [patch.facts.provider for patch in patches(outcome)] == ["fake"]
    assert worktrees(rig) == []


async def test_a_failed_attempt_leaves_its_work_and_the_next_begins_anew(rig: Rig) -> None:
    def fail_once(question: Question) -> str:
        if (question.workspace / "half").exists():
            raise AssertionError("the next attempt sees what the failed one did")
        if len(rig.asked) == 1:
            (question.workspace / "half").write_text("x")
            raise StepFailed("crashed", "it broke", retry_after=0)
        return write(question)

    outcome = await rig.run(ONE, reply=fail_once, access="write")

    assert [(one.state, one.facts.ended, one.facts.attempt) for one in patches(outcome)] == [
        ("offered", "answered", 2),
        ("unfinished", "crashed", 1),
    ]
    assert worktrees(rig) == []


async def test_the_work_of_a_stopped_step_is_set_aside(rig: Rig) -> None:
    stop = anyio.Event()

    async def stopped(question: Question) -> str:
        (question.workspace / "half").write_text("x")
        stop.set()
        await anyio.sleep_forever()
        raise AssertionError("nobody stopped it")

    outcome = await rig.run(ONE, reply=stopped, stop=stop, access="write")

    assert outcome.status == "cancelled"
    assert [(one.state, one.facts.ended) for one in patches(outcome)] == [("unfinished", "cancelled")]
    assert worktrees(rig) == []


async def test_patches_of_several_steps_that_collide_are_told_in_the_run(rig: Rig) -> None:
    def change(question: Question) -> str:
        path = question.workspace / "text"
        path.write_text(path.read_text().replace("line 3\n", f"{question.prompt}\n"))
        return "done"

    outcome = await rig.run(
        f"""
async def main(args):
    return await parallel([lambda n=n: agent(f"change {{n}}", label=f"step {{n}}", {WRITE}) for n in (1, 2)])
""",
        reply=change,
        access="write",
    )
    (warning,) = [event for event in events(outcome) if isinstance(event, Logged)]

    assert warning.message == "patches 1 (step 1) and 2 (step 2) collide in text:4 (same_line)"
    assert warning.message in (outcome.folder / "summary.md").read_text()


async def test_without_a_repository_the_step_fails_and_says_the_way_out(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    outcome = await rig.run(ONE, reply=write, access="write")

    assert outcome.status == "failed"
    assert "isolation='worktree' needs a git repository" in str(outcome.error)
    assert rig.asked == []
