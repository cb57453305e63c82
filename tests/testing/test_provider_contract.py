"""The contract of providers finds what breaks it: a provider for every promise, which keeps all but that one."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.errors import StepFailed
from engine.providers.base import Progress, Question, Readiness, Report
from engine.step import Answer
from engine.testing import provider_contract
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, ProviderRig, Scene

Act = Callable[[Question, Report], Awaitable[Any]]
ROOT = Path(__file__).parents[2]


class Sample:
    """A provider that does what a test wants, and is ready, or not, as it wants."""

    name = "sample"
    capabilities = frozenset({"text"})
    note = ""

    def __init__(self, act: Act, readiness: Callable[[], Readiness] = lambda: Readiness(True)) -> None:
        self._act = act
        self.readiness = readiness

    async def ask(self, question: Question, report: Report) -> Answer:
        return await self._act(question, report)


class SampleRig(ProviderRig):
    """The same provider in every scene."""

    failures = {"it fails": "auth"}

    def __init__(self, act: Act, **more: Any) -> None:
        self.provider = Sample(act, **more)

    def answers(self, place: Place, text: str) -> Scene:
        async def at_work() -> None:
            await anyio.wait_all_tasks_blocked()

        return Scene(self.provider, place.question(stall_timeout=0.05), at_work)

    def fails(self, place: Place, failure: str) -> Scene:
        return self.answers(place, "")

    def hangs(self, place: Place) -> Scene:
        return self.answers(place, "")

    def floods(self, place: Place, size: int) -> Scene:
        return self.answers(place, "")

    def unready(self, place: Place) -> Scene:
        return self.answers(place, "")


def contract(act: Act, **more: Any) -> ProviderContract:
    class TestSample(ProviderContract):
        rig = SampleRig(act, **more)
        patience = 20.0

    return TestSample()


async def well(question: Question, report: Report) -> Answer:
    return Answer("all is well")


async def empty(question: Question, report: Report) -> Answer:
    return Answer(" \n")


async def bare(question: Question, report: Report) -> Any:
    return "all is well"


async def words(question: Question, report: Report) -> Answer:
    report("working")  # pyright: ignore[reportArgumentType]
    return Answer("all is well")


async def wrong(question: Question, report: Report) -> Answer:
    raise ValueError("oops")


async def network(question: Question, report: Report) -> Answer:
    raise StepFailed("network", "no way")


async def made_up(question: Question, report: Report) -> Answer:
    return Answer({"n": 1})


async def swallows(question: Question, report: Report) -> Answer:
    try:
        await anyio.sleep_forever()
    except asyncio.CancelledError:
        raise StepFailed("cancelled", "it was stopped") from None
    raise AssertionError


async def leaves_a_task(question: Question, report: Report) -> Answer:
    asyncio.create_task(asyncio.Event().wait(), name="forgotten")  # noqa: RUF006  which is what is wrong with it
    return Answer("all is well")


async def hoards(question: Question, report: Report) -> Answer:
    return Answer(len(bytearray(provider_contract.HELD + 1)))


def running() -> Readiness:
    subprocess.run(["true"], check=True)
    return Readiness(True)


@pytest.mark.parametrize(
    ("test", "act", "broken"),
    [
        ("it_finishes_with_a_sound_answer", bare, "answers here, but failed as 'crashed': .* no answer that"),
        ("it_finishes_with_a_sound_answer", empty, "answers here, but failed as 'bad_output'"),
        ("it_finishes_with_a_sound_answer", wrong, r"raised ValueError\('oops'\)"),
        ("it_finishes_with_a_sound_answer", words, "what it reports is Progress"),
        ("it_finishes_with_a_sound_answer", leaves_a_task, "nothing is left behind, but: the task forgotten"),
        ("silence_ends_as_stalled", network, "silence is 'stalled', not 'network'"),
        ("silence_ends_as_stalled", well, "it fails here, but answered"),
        ("cancelled_while_it_works_it_leaves_nothing", swallows, "neither answers nor fails"),
        ("cancelled_while_it_works_it_leaves_nothing", well, "neither answers nor fails"),
        ("a_flood_stays_in_bounded_memory", hoards, "it holds at most"),
        ("an_answer_that_is_no_json_does_not_pass_for_some", made_up, "it fails here, but answered"),
        ("an_answer_that_is_no_json_does_not_pass_for_some", network, "'bad_output', not 'network'"),
        ("an_empty_answer_is_no_success", well, "it fails here, but answered"),
        ("two_at_once_do_not_disturb_each_other", network, "answers here, but failed"),
        ("one_that_is_not_ready_says_why_and_fails_when_it_is_asked", well, "is not ready without"),
    ],
)
def test_a_broken_promise_is_found(test: str, act: Act, broken: str, tmp_path: Path):
    with pytest.raises(AssertionError, match=broken):
        getattr(contract(act), f"test_{test}")(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_process_that_is_left_is_found(tmp_path: Path):
    children: list[subprocess.Popen[bytes]] = []

    async def act(question: Question, report: Report) -> Answer:
        children.append(subprocess.Popen(["sleep", "300"]))
        return Answer("all is well")

    with pytest.raises(AssertionError, match="nothing is left behind, but: the process"):
        contract(act).test_it_finishes_with_a_sound_answer(tmp_path)
    (child,) = children
    child.kill()
    child.wait()


@pytest.mark.parametrize(
    ("act", "broken"),
    [
        (well, "it fails here, but answered 'all is well'"),
        (network, "it fails is 'auth', not 'network'"),
        (wrong, "raised ValueError"),
    ],
)
def test_a_failure_with_the_wrong_reason_is_found(act: Act, broken: str, tmp_path: Path):
    with pytest.raises(AssertionError, match=broken):
        contract(act).test_a_failure_has_its_own_reason(tmp_path, "it fails")


def test_a_readiness_that_runs_a_program_is_found(tmp_path: Path):
    with pytest.raises((AssertionError, OSError), match="starts a program"):
        contract(well, readiness=running).test_it_says_that_it_is_ready_and_asks_nobody_for_that(tmp_path)


def test_one_that_is_not_ready_without_a_reason_is_found(tmp_path: Path):
    unready = contract(network, readiness=lambda: Readiness(False))
    with pytest.raises(AssertionError, match="one that is not ready says why"):
        unready.test_one_that_is_not_ready_says_why_and_fails_when_it_is_asked(tmp_path)


def test_a_mutable_capability_is_found(tmp_path: Path):
    mutable = contract(well)
    mutable.rig.provider.capabilities = {"text"}  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AssertionError, match="its capabilities are a frozenset"):
        mutable.test_it_says_who_it_is_and_what_it_can(tmp_path)


def test_an_access_that_it_cannot_be_held_to_and_takes_all_the_same_is_found(tmp_path: Path):
    lax = contract(well)
    lax.rig.provider.access = frozenset({"read"})  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AssertionError, match="it fails here, but answered"):
        lax.test_what_it_may_not_be_asked_with_is_unsupported(tmp_path)


def test_one_that_keeps_its_promises_passes(tmp_path: Path):
    sessions = itertools.count()

    async def act(question: Question, report: Report) -> Answer:
        report(Progress("note", "thinking"))
        return Answer("all is well", session_id=str(next(sessions)))

    good = contract(act)
    good.test_it_says_who_it_is_and_what_it_can(tmp_path)
    good.test_it_says_that_it_is_ready_and_asks_nobody_for_that(tmp_path)
    good.test_it_finishes_with_a_sound_answer(tmp_path)
    good.test_two_at_once_do_not_disturb_each_other(tmp_path)


def test_what_a_rig_is_without_is_not_collected():
    class OneScene(SampleRig):
        without = {"floods": "nobody speaks to it", "works": "it is done at once"}

    class TestOneScene(ProviderContract):
        rig = OneScene(well)

    assert TestOneScene.test_a_flood_stays_in_bounded_memory is None
    assert TestOneScene.test_cancelled_at_once_it_leaves_nothing is None
    assert TestOneScene.test_silence_ends_as_stalled is not None


@pytest.mark.parametrize("scene", ["a_flood_stays_in_bounded_memory", "silence_ends_as_stalled"])
def test_a_scene_that_is_forgotten_is_no_success(scene: str, tmp_path: Path):
    class Forgetful(ProviderRig):
        def answers(self, place: Place, text: str) -> Scene:
            return Scene(Sample(well), place.question())

    class TestForgetful(ProviderContract):
        rig = Forgetful()

    with pytest.raises(NotImplementedError, match="`without` says why"):
        getattr(TestForgetful(), f"test_{scene}")(tmp_path)


def test_pytest_collects_one_test_for_each_failure(tmp_path: Path):
    text = """
        from engine.testing.provider_contract import ProviderContract
        from tests.testing.test_provider_contract import SampleRig, network

        class TwoFailures(SampleRig):
            failures = {"no way": "network", "no key": "auth"}

        class TestTwo(ProviderContract):
            rig = TwoFailures(network)
    """
    (tmp_path / "test_two.py").write_text(textwrap.dedent(text))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "own_reason"]
    ended = subprocess.run(
        [*command, "--rootdir", tmp_path, "-c", "/dev/null", tmp_path / "test_two.py"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "[no key]" in ended.stdout, ended.stdout + ended.stderr
    assert "no key is 'auth', not 'network'" in ended.stdout
    assert "1 failed, 1 passed" in ended.stdout


def test_importing_it_imports_no_test_library():
    code = "import sys, engine.testing.provider_contract; print('pytest' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
