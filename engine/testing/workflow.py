"""Runs a workflow for a test: the real sandbox and the real engine, answers from the test, nothing spent or kept."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio

from engine import __version__
from engine.dispatch.needs import Sources, StandIn
from engine.errors import MCOError, ScriptRefused, UsageError
from engine.record.events import Answers, Status
from engine.record.step_view import StepView
from engine.record.view import RunView
from engine.run import run_script
from engine.sandbox.allowance import worker_limits
from engine.sandbox.host import Worker
from engine.settings import Settings
from engine.source import ScriptSource
from engine.stand_ins.cassette import read_cassette
from engine.stand_ins.recorder import Heard, Recorder
from engine.stand_ins.registry import NamesOnly, Unasked
from engine.stand_ins.replay import Replay
from engine.stand_ins.stubs import Failure, StubbedRun, Stubs
from engine.step import Answer, Step, Usage
from engine.surroundings import RunOutcome, RunRequest, Surroundings

__all__ = ["Answer", "Failure", "Outcome", "Step", "TakenStep", "Usage", "run_workflow", "run_workflow_async"]

_NOW = 1_700_000_000.0
_NOBODY = "anybody"
"""The provider of steps that name none."""


class TakenStep(NamedTuple):
    """One step that the script took. `answer` is None where it has none; `failure` says why, as `reason: message`."""

    label: str
    phase: str
    prompt: str
    providers: tuple[str, ...]
    """As the script wrote them: `claude`, `codex:o3`; empty where it named nobody."""
    answer: Any
    failure: str | None
    asked: Step | None
    """With all its options; None where it could not be sent to anybody."""


@dataclass(frozen=True)
class Outcome:
    """How the run ended. A `result` that there is not is an AssertionError that says why."""

    status: Status
    steps: tuple[TakenStep, ...]
    logs: tuple[str, ...]
    phases: tuple[str, ...]
    error: MCOError | None
    unused: tuple[str, ...]
    """Answers of the test that no step had."""
    returned: Any

    @property
    def result(self) -> Any:
        """What the script returned."""
        if self.error is not None:
            raise AssertionError(f"the workflow {self.status}: {_said(self.error)}")
        return self.returned

    @property
    def labels(self) -> list[str]:
        """The labels of the steps, in the order of the calls."""
        return [step.label for step in self.steps]

    def step(self, label: str) -> TakenStep:
        """The only step of that label. AssertionError when there is none, or are several."""
        found = [step for step in self.steps if step.label == label]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} steps are labelled {label!r}; there were: {self.labels}")
        return found[0]


def run_workflow(script: str | Path, **given: Any) -> Outcome:
    """Run a workflow to its end; see `run_workflow_async` for what can be given. Not inside an event loop."""
    __tracebackhide__ = True
    return anyio.run(partial(run_workflow_async, script, **given))


async def run_workflow_async(
    script: str | Path,
    *,
    args: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    samples: bool = False,
    cassette: str | Path | None = None,
    workflows: Mapping[str, str | Path] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Outcome:
    """Run the script in a file.

    `answers` by label or pattern: a value, an `Answer`, a `Failure`, or a function of the `Step`. Other steps are a
    mistake of the test (AssertionError), unless `samples` gives them the smallest answer that fits. `cassette` is one
    that `mco run --record` has written. `workflows` names the files behind `workflow()`, else it is NAME.py beside
    the script. `settings` are ceilings such as `budget`, `access`, `max_steps`; the user's own are not read.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    path = Path(script)
    with TemporaryDirectory(prefix="mco-test-") as folder:
        place = Path(folder)
        cast = _cast(cassette, answers, samples=samples)
        around = Surroundings(
            settings=Settings(**(settings or {})),
            registry=cast.registry,
            workspace=_made(place / "workspace"),
            cache_folder=place / "cache",
            find=partial(_find, path, workflows or {}),
            version=__version__,
            clock=lambda: _NOW,
            random=random.Random(0),  # noqa: S311 - for names of folders
            stand_in=cast,
        )
        view = RunView()
        worker = Worker.spawn(worker_limits(around.settings))
        request = RunRequest(_source(path), args or {}, {})
        try:
            ended = await run_script(request, around, worker=worker, views=[view.apply, cast.recorder.apply])
        except ScriptRefused as refused:
            raise AssertionError(_said(refused)) from None
    if isinstance(ended.error, UsageError):  # the answers are at fault, not the script
        raise AssertionError(_said(ended.error)) from ended.error.__cause__  # noqa: TRY004
    return _outcome(ended, view, cast)


class _Cast:
    """Who answers in a test, overheard."""

    def __init__(self, inner: StandIn, registry: NamesOnly, stubs: Stubs | None) -> None:
        self.answers: Answers = inner.answers
        self.registry = registry
        self.stubs = stubs
        self.recorder = Recorder()
        self._inner = inner

    def take_over(self, sources: Sources) -> Sources:
        """The answers of the test."""
        return self.recorder.take_over(self._inner.take_over(sources))


def _cast(cassette: str | Path | None, answers: Mapping[str, Any] | None, *, samples: bool) -> _Cast:
    if cassette is not None:
        if answers or samples:
            raise UsageError("a cassette has its own answers", hint="leave out `answers` and `samples`")
        replay = Replay(read_cassette(Path(cassette)), str(cassette), lambda: _NOW)
        return _Cast(replay, replay.registry(), None)
    stubs = Stubs(answers or {}, otherwise="sample" if samples else "refuse")
    registry = NamesOnly({_NOBODY: Unasked(_NOBODY)}, _NOBODY)
    return _Cast(StubbedRun(stubs, registry), registry, stubs)


def _outcome(ended: RunOutcome, view: RunView, cast: _Cast) -> Outcome:
    return Outcome(
        status=ended.status,
        steps=tuple(_taken(step, cast.recorder.heard.get(step.key)) for step in view.steps.values()),
        logs=tuple(line.message for line in view.log if line.source == "script"),
        phases=tuple(view.phases),
        error=ended.error,
        unused=tuple(cast.stubs.unused) if cast.stubs is not None else (),
        returned=ended.result,
    )


def _taken(seen: StepView, heard: Heard | None) -> TakenStep:
    step = heard and heard.step
    outcome = heard and heard.outcome
    choices = step.providers if step is not None else ()
    return TakenStep(
        label=seen.label,
        phase=seen.phase,
        prompt=step.prompt if step is not None else seen.prompt,
        providers=tuple(choice.title for choice in choices if choice.name != _NOBODY),
        answer=outcome.value if isinstance(outcome, Answer) else None,
        failure=f"{seen.reason}: {seen.message}" if seen.reason else None,
        asked=step,
    )


def _find(script: Path, named: Mapping[str, str | Path], name: str) -> ScriptSource:
    """The script that `workflow()` names."""
    path = Path(named[name]) if name in named else script.with_name(f"{name}.py")
    if not path.is_file():
        raise UsageError(f"there is no workflow named {name!r}", hint="name its file in `workflows`")
    return _source(path)


def _source(path: Path) -> ScriptSource:
    try:
        return ScriptSource(path.name, path.read_bytes(), path)
    except OSError as error:
        raise UsageError(
            "the script cannot be read", where=str(path), why=error.strerror or str(error)
        ) from None


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _said(error: MCOError) -> str:
    """An error as pytest shows it: with all that is known, and every problem of a script."""
    problems = error.problems if isinstance(error, ScriptRefused) else ()
    lines = [f"{problem.line}:{problem.column}: {problem.message}" for problem in problems]
    hint = [f"hint: {error.hint}"] if error.hint else []
    return "\n".join([str(error), *lines, *hint])
