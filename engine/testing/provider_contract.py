"""What every provider promises, as tests that pytest collects: `class TestMine(ProviderContract): rig = MyRig()`."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from engine.dispatch.answers import asked, checked
from engine.errors import StepFailed
from engine.providers.base import Progress
from engine.schema import Schema
from engine.step import ACCESS_ORDER, Answer
from engine.testing.leftovers import Leftovers, overheard
from engine.testing.provider_rig import Place, ProviderRig, Scene

if TYPE_CHECKING:
    import pytest

FLOOD = 256 * 1024 * 1024
"""Bytes that are said where nobody wants to hear so much."""
HELD = 160 * 1024 * 1024
"""Bytes of them that a provider may hold at one moment."""
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
_Test = TypeVar("_Test", bound=Callable[..., None])
_Outcome = TypeVar("_Outcome")


def needs(scene: str) -> Callable[[_Test], _Test]:
    """Names the scene of a test; it is not collected where the rig is without that."""

    def named(test: _Test) -> _Test:
        test.__dict__["scene"] = scene
        return test

    return named


class ProviderContract:
    """Subclass it with a `rig`. No provider is asked anything but by the rig's scenes."""

    rig: ClassVar[ProviderRig]
    patience: ClassVar[float] = 60.0
    """Seconds after which whatever hangs has failed."""

    def __init_subclass__(cls) -> None:
        """Leave out what the rig is without."""
        super().__init_subclass__()
        for name, test in vars(ProviderContract).items():
            if getattr(test, "scene", None) in cls.rig.without:
                setattr(cls, name, None)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each failure that the rig can bring about."""
        if "failure" in metafunc.fixturenames:
            metafunc.parametrize("failure", list(self.rig.failures))

    @needs("finishes")
    def test_it_says_who_it_is_and_what_it_can(self, tmp_path: Path) -> None:
        """Names, in values that cannot change."""
        with ExitStack() as stack:
            provider = self.rig.finishes(Place(tmp_path, stack)).provider
            _promise(bool(provider.name) and type(provider.name) is str, "its name is a text")
            _promise(type(provider.capabilities) is frozenset, "its capabilities are a frozenset")
            _promise(all(type(one) is str for one in provider.capabilities), "capabilities are texts")
            _promise(type(provider.note) is str, "its note is a text, which may be empty")
            access = getattr(provider, "access", frozenset(ACCESS_ORDER))
            _promise(access <= frozenset(ACCESS_ORDER), f"its access is among {', '.join(ACCESS_ORDER)}")

    @needs("finishes")
    def test_it_says_that_it_is_ready_and_asks_nobody_for_that(self, tmp_path: Path) -> None:
        """`mco providers` asks all of them, each time."""
        with ExitStack() as stack, overheard() as tried:
            scene = self.rig.finishes(Place(tmp_path, stack))
            tried.clear()
            readiness = scene.provider.readiness()
            _promise(not tried, f"readiness runs nothing slow, but it {', '.join(tried)}")
        _promise(readiness.ready, f"it is ready when it can answer, but says: {readiness.why}")

    @needs("unready")
    def test_one_that_is_not_ready_says_why_and_fails_when_it_is_asked(self, tmp_path: Path) -> None:
        """By the reason that tells what is missing."""
        with ExitStack() as stack:
            scene = self.rig.unready(Place(tmp_path, stack))
            readiness = scene.provider.readiness()
            _promise(not readiness.ready, "it is not ready without what it needs")
            _promise(bool(readiness.why), "one that is not ready says why")
            failure = _failure(self._run(scene, _ask))
            named = ("not_found", "auth", "unsupported")
            _promise(failure.reason in named, f"its reason is one of {named}, not {failure.reason}")
            scene.check_failure(failure)

    @needs("finishes")
    def test_it_finishes_with_a_sound_answer(self, tmp_path: Path) -> None:
        """Which dispatch can use, and leaves nothing behind."""
        with ExitStack() as stack:
            scene = self.rig.finishes(Place(tmp_path, stack))
            answer = _answer(self._run(scene, _ask))
            scene.check(answer)

    @needs("finishes")
    def test_what_it_may_not_be_asked_with_is_unsupported(self, tmp_path: Path) -> None:
        """A provider that cannot be held to an access refuses it before anything is done."""
        with ExitStack() as stack:
            scene = self.rig.finishes(Place(tmp_path, stack))
            taken = getattr(scene.provider, "access", frozenset(ACCESS_ORDER))
            for access in ACCESS_ORDER:
                if access in taken:
                    continue
                refused = scene._replace(question=scene.question._replace(access=access))
                failure = _failure(self._run(refused, _ask))
                _promise(failure.reason == "unsupported", f"{access!r} is unsupported, not {failure.reason}")

    @needs("fails")
    def test_a_failure_has_its_own_reason(self, tmp_path: Path, failure: str) -> None:
        """And no exception but `StepFailed` comes out."""
        with ExitStack() as stack:
            scene = self.rig.fails(Place(tmp_path, stack), failure)
            found = _failure(self._run(scene, _ask))
            wanted = self.rig.failures[failure]
            _promise(found.reason == wanted, f"{failure} is {wanted!r}, not {found.reason!r}: {found}")
            _promise(bool(found.what), "a failure says what happened")
            scene.check_failure(found)

    @needs("hangs")
    def test_silence_ends_as_stalled(self, tmp_path: Path) -> None:
        """After the question's `stall_timeout`."""
        with ExitStack() as stack:
            scene = self.rig.hangs(Place(tmp_path, stack))
            failure = _failure(self._run(scene, _ask))
            _promise(failure.reason == "stalled", f"silence is 'stalled', not {failure.reason!r}: {failure}")
            scene.check_failure(failure)

    @needs("works")
    def test_cancelled_while_it_works_it_leaves_nothing(self, tmp_path: Path) -> None:
        """Neither processes nor tasks, and the cancellation comes out."""
        with ExitStack() as stack:
            scene = self.rig.works(Place(tmp_path, stack))
            patient = scene._replace(question=scene.question._replace(stall_timeout=900.0))
            self._run(patient, _cancel_at_work)

    @needs("works")
    def test_cancelled_at_once_it_leaves_nothing(self, tmp_path: Path) -> None:
        """A loser of a race may have hardly begun."""
        with ExitStack() as stack:
            scene = self.rig.works(Place(tmp_path, stack))
            self._run(scene._replace(at_work=checkpoint), _cancel_at_work)

    @needs("floods")
    def test_a_flood_stays_in_bounded_memory(self, tmp_path: Path) -> None:
        """Whatever comes of it."""
        with ExitStack() as stack:
            scene = self.rig.floods(Place(tmp_path, stack), FLOOD)
            tracemalloc.start()
            try:
                self._run(scene, _ask)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            _promise(
                peak <= HELD, f"of {FLOOD:,} bytes it holds at most {HELD:,} at a moment, but held {peak:,}"
            )

    @needs("bad_json")
    def test_an_answer_that_is_no_json_does_not_pass_for_some(self, tmp_path: Path) -> None:
        """Dispatch sends such a failure back to whoever answered."""
        with ExitStack() as stack:
            scene = self.rig.bad_json(Place(tmp_path, stack))
            question = scene.question._replace(schema=SCHEMA)
            failure = _failure(self._run(scene._replace(question=question), _ask))
            _promise(failure.reason == "bad_output", f"bad JSON is 'bad_output', not {failure.reason!r}")
            scene.check_failure(failure)

    @needs("nothing")
    def test_an_empty_answer_is_no_success(self, tmp_path: Path) -> None:
        """An answer that was not given is not made up."""
        with ExitStack() as stack:
            scene = self.rig.nothing(Place(tmp_path, stack))
            failure = _failure(self._run(scene, _ask))
            named = ("bad_output", "crashed")
            _promise(failure.reason in named, f"its reason is one of {named}, not {failure.reason!r}")
            scene.check_failure(failure)

    @needs("finishes")
    def test_two_at_once_do_not_disturb_each_other(self, tmp_path: Path) -> None:
        """One provider serves all steps of a run."""
        with ExitStack() as stack:
            first, second = self._run(self.rig.finishes(Place(tmp_path, stack)), _ask_twice)
            _promise(first.value == second.value, "asked twice at once, it answers as it does once")
            named = first.session_id is not None
            _promise(not named or first.session_id != second.session_id, "each has a session of its own")

    def _run(self, scene: Scene, act: Callable[[Scene], Awaitable[_Outcome]]) -> _Outcome:
        """Act, in time, and look at what is left."""

        async def go() -> _Outcome:
            before = Leftovers()
            with anyio.fail_after(self.patience):
                outcome = await act(scene)
            left = before.found()
            _promise(not left, f"nothing is left behind, but: {', '.join(left)}")
            return outcome

        return asyncio.run(go())


def _promise(kept: bool, words: str) -> None:
    if not kept:
        raise AssertionError(words)


def _failure(outcome: Answer | StepFailed) -> StepFailed:
    match outcome:
        case StepFailed():
            return outcome
        case _:
            raise AssertionError(f"it fails here, but answered {str(outcome.value)[:300]!r}")


def _answer(outcome: Answer | StepFailed) -> Answer:
    match outcome:
        case Answer():
            return outcome
        case _:
            raise AssertionError(f"it answers here, but failed as {outcome.reason!r}: {outcome}")


async def _ask(scene: Scene) -> Answer | StepFailed:
    """What dispatch makes of it."""
    heard: list[Progress] = []
    schema = scene.question.schema

    def report(progress: Progress) -> None:
        heard.append(progress)
        scene.report(progress)

    try:
        answer = await asked(scene.provider, scene.question, report)
        answer = answer._replace(value=checked(answer, None if schema is None else Schema(schema)))
    except StepFailed as failure:
        raised = failure.__cause__
        _promise(raised is None, f"a failure is a StepFailed, but it raised {raised!r}")
        return failure
    _promise(all(type(one) is Progress for one in heard), "what it reports is Progress")
    return answer


async def _ask_twice(scene: Scene) -> tuple[Answer, Answer]:
    outcomes: list[Answer | StepFailed] = []

    async def ask() -> None:
        outcomes.append(await _ask(scene))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
    first, second = map(_answer, outcomes)
    return first, second


async def _cancel_at_work(scene: Scene) -> None:
    if scene.at_work is None:
        raise AssertionError("the rig's `works` says by `at_work` when the provider is at work")
    outcomes: list[Answer | StepFailed] = []
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            outcomes.append(await _ask(scene))
            tasks.cancel_scope.cancel()

        tasks.start_soon(ask)
        await scene.at_work()
        tasks.cancel_scope.cancel()
    _promise(not outcomes, f"cancelled, it neither answers nor fails, but: {outcomes}")
