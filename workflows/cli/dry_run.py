"""`mco run --dry-run`: the steps that a script would take, for people and as JSON. Nothing is asked or kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from engine.providers.registry import readiness_of
from engine.stand_ins.plan import DryRun, PlannedStep
from engine.stand_ins.registry import Muted
from engine.stand_ins.stub_file import read_stubs
from engine.stand_ins.stubs import Stubs
from engine.step import Usage
from workflows.cli.figures import UNKNOWN, age, count, duration, spending
from workflows.cli.report import usage_as_json
from workflows.cli.stage import Stage
from workflows.cli.table import aligned, stdout_width

if TYPE_CHECKING:
    from engine.providers.registry import Registry
    from engine.record.events import Event
    from engine.settings import Settings
    from engine.surroundings import Surroundings
    from workflows.cli.finished import Finished

NOTE = "dry run: the answer is a stub"
_MISSES = {
    "new": "ask",
    "expired": "ask, what is kept is too old",
    "forced": "ask, as --fresh wants it",
    "uncached": "ask, it is never kept",
    "writes": "ask, it may write",
}


class DryStage(Stage):
    """Walks the script with stubs, and shows the plan instead of the result."""

    silent = True
    real = False

    def __init__(self, stub_file: Path | None) -> None:
        self._stub_file = stub_file
        self._stubs = Stubs({}) if stub_file is None else read_stubs(stub_file)
        self._folder: TemporaryDirectory[str] | None = None
        self._plan: DryRun | None = None
        self._real: Registry | None = None

    def __enter__(self) -> None:
        self._folder = TemporaryDirectory(prefix="mco-dry-")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def prepare(self, around: Surroundings) -> Surroundings:
        """Stubs for the providers, and a record that is thrown away."""
        assert self._folder is not None  # noqa: S101 - it was entered
        self._stubs = Stubs({}) if self._stub_file is None else read_stubs(self._stub_file)
        self._real = around.registry
        muted = Muted(around.registry, NOTE)
        self._plan = DryRun(self._stubs, muted)
        return around._replace(registry=muted, stand_in=self._plan, state_folder=Path(self._folder.name))

    def views(self) -> list[Callable[[Event], None]]:
        """The plan."""
        return [] if self._plan is None else [self._plan.apply]

    def finish(self, finished: Finished, settings: Settings) -> Finished:
        """The plan instead of the result, and no run to look at."""
        steps = [] if self._plan is None else self._plan.steps
        facts = {
            "run_id": None,
            "folder": None,
            "dry_run": True,
            "plan": [self._entry(step) for step in steps],
            "saved": usage_as_json(_saved(steps)),
            "without_stub": self._without(),
            "unused_stubs": self._stubs.unused,
        }
        report = "\n".join([*self._table(steps), *self._summary(steps)])
        said = (*finished.said, *self._remarks(), "dry run: nobody was asked, nothing was spent or kept")
        return finished._replace(facts={**finished.facts, **facts}, report=report, said=said, trace=False)

    def _table(self, steps: list[PlannedStep]) -> Iterator[str]:
        if steps:
            headings = ("#", "STEP", "PHASE", "PROVIDER", "ACCESS", "WOULD")
            yield from aligned([headings, *map(self._row, steps)], stdout_width())
            yield ""

    def _row(self, planned: PlannedStep) -> tuple[str, ...]:
        step = planned.step
        label = planned.label or f"step {planned.number}"
        phase = planned.phase or UNKNOWN
        if step is None:
            return (str(planned.number), label, phase, UNKNOWN, UNKNOWN, self._would(planned))
        names = [
            f"{one.name} ({model})" if (model := one.model or step.model) else one.name
            for one in step.providers
        ]
        asked = names[0] if len(names) == 1 else f"{step.strategy}: {', '.join(names)}"
        return (str(planned.number), label, phase, asked, step.access, self._would(planned))

    def _would(self, planned: PlannedStep) -> str:
        if planned.step is None:
            return f"fail: {planned.failure.message}" if planned.failure else "fail"
        if planned.kept is not None:
            known = planned.kept.usage.as_usage()
            return f"reuse ({age(planned.age or 0.0)}, {spending(known)})"
        absent = self._absent(planned)
        if len(absent) == len(planned.step.providers):
            return f"fail: {', '.join(absent)} not ready here"
        words = _MISSES.get(planned.miss or "new", "ask")
        return f"{words}; {', '.join(absent)} not ready here" if absent else words

    def _absent(self, planned: PlannedStep) -> list[str]:
        """Those of its providers that could not be asked."""
        return [one["name"] for one in self._asked(planned) if not one["ready"]]

    def _verdict(self, planned: PlannedStep) -> str:
        if planned.kept is not None:
            return "reuse"
        lost = planned.step is None or len(self._absent(planned)) == len(planned.step.providers)
        return "fail" if lost else "ask"

    def _asked(self, planned: PlannedStep) -> list[dict[str, Any]]:
        step = planned.step
        if step is None or self._real is None:
            return []
        return [
            {
                "name": choice.name,
                "model": choice.model or step.model,
                "ready": readiness_of(self._real.get(choice.name)).ready,
            }
            for choice in step.providers
        ]

    def _entry(self, planned: PlannedStep) -> dict[str, Any]:
        step, kept = planned.step, planned.kept
        return {
            "step": planned.number,
            "label": planned.label,
            "phase": planned.phase,
            "providers": self._asked(planned),
            "strategy": step and step.strategy,
            "access": step and step.access,
            "isolation": step and step.isolation,
            "would": self._verdict(planned),
            "why": planned.miss,
            "from_run": kept and kept.run,
            "age": planned.age,
            "saved": kept and usage_as_json(kept.usage.as_usage()),
            "failure": planned.failure
            and {"reason": planned.failure.reason, "message": planned.failure.message},
        }

    def _summary(self, steps: list[PlannedStep]) -> Iterator[str]:
        kept = [step.kept for step in steps if step.kept is not None]
        verdicts = Counter(map(self._verdict, steps))
        parts = [count(len(steps), "step"), f"{verdicts['ask']:,} would be asked"]
        parts += [f"{len(kept):,} would be reused"]
        parts += [f"{verdicts['fail']:,} would fail"] if verdicts["fail"] else []
        yield f"dry run: {' · '.join(parts)}"
        if kept:
            unknown = sum(1 for one in kept if one.usage.as_usage().tokens is None)
            seconds = sum(one.seconds for one in kept)
            yield f"reuse saves {spending(_saved(steps), unknown)} · {duration(seconds)}"

    def _without(self) -> list[str]:
        """The labels of steps for which a file of stubs has nothing."""
        return [] if self._stub_file is None else list(dict.fromkeys(self._stubs.sampled))

    def _remarks(self) -> Iterator[str]:
        if without := self._without():
            yield f"note: no stub for {_listed(without)}: the smallest answer that fits was taken"
        if unused := self._stubs.unused:
            yield f"note: no step for the stub {_listed(unused)}"


def _saved(steps: list[PlannedStep]) -> Usage:
    return sum((step.kept.usage.as_usage() for step in steps if step.kept is not None), Usage())


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown
