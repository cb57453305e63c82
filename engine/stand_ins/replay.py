"""Plays a cassette: every step is found in it or the run ends. Nobody is asked."""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.dispatch.answers import checked
from engine.dispatch.needs import Sources
from engine.errors import StepFailed, UsageError
from engine.providers.base import Provider, Readiness
from engine.record.events import Answers
from engine.record.steps import Miss
from engine.schema import Schema
from engine.stand_ins.asked import Asked, Counting, differing
from engine.stand_ins.cassette import Cassette, RecordedAnswer, RecordedStep
from engine.stand_ins.registry import EVERYTHING, NamesOnly, Unasked
from engine.step import COMBINING, Answer, Key, Step
from engine.text import clean_line

if TYPE_CHECKING:
    from engine.dispatch.attempts import Asking
    from engine.store.kept import KeptAnswer

_COMPARED = 400
"""Characters of a prompt by which the nearest one is looked for."""
_SHOWN = 60
_CANDIDATES = 1_000
"""So many are looked at for the nearest one."""


class _Missing(NamedTuple):
    """A step that the cassette cannot answer as it is: why, and what to do."""

    why: str
    hint: str


class Replay:
    """Gives the answers of a cassette. `where` names it in messages; `clock` returns seconds since the epoch."""

    answers: Answers = "cassette"

    def __init__(self, cassette: Cassette, where: str, clock: Callable[[], float]) -> None:
        self.cassette = cassette
        self._where = where
        self._clock = clock
        self._counting = Counting()
        self._steps = {
            Asked(step.asked, step.occurrence).identity: number for number, step in enumerate(cassette.steps)
        }
        self._found: dict[str, RecordedStep | _Missing] = {}
        self._used: set[int] = set()
        self.elsewhere = 0
        """How many answers were given that were made over other files than are here now."""

    @property
    def unused(self) -> int:
        """How many steps of the cassette nobody has asked for."""
        return len(self.cassette.steps) - len(self._used)

    def registry(self) -> NamesOnly:
        """The providers as they were when it was recorded."""
        known: dict[str, Provider] = {
            name: Unasked(name, frozenset(one.capabilities), one.note, Readiness(one.ready, one.why))
            for name, one in self.cassette.providers.items()
        }
        known.setdefault(self.cassette.default, Unasked(self.cassette.default, EVERYTHING))
        return NamesOnly(known, self.cassette.default)

    def take_over(self, sources: Sources) -> Sources:
        """The cassette for both."""
        return Sources(self, self)

    def note(self, step: Step) -> str:
        """What had to be known of the answers when they were made."""
        known = (self.cassette.providers.get(choice.name) for choice in step.providers)
        return "; ".join(sorted({one.note for one in known if one is not None and one.note}))

    def find(self, step: Step, key: Key) -> KeptAnswer | Miss:
        """The recorded answer; what else is to be said of a step, `ask` says."""
        asked = self._counting.next(key)
        number = self._steps.get(asked.identity)
        if number is None:
            self._found[key.digest] = self._missing(step, asked)
            return "new"
        self._used.add(number)
        recorded = self._found[key.digest] = self.cassette.steps[number]
        if recorded.workspace != key.parts["workspace"]:
            self.elsewhere += 1
        if recorded.answer is None:
            return "new"
        try:
            value = _fitting(recorded.answer, step)
        except StepFailed as failure:
            self._found[key.digest] = _Missing(failure.what, "record it anew with --record")
            return "new"
        return self._kept(recorded.answer, value)

    async def keep(self, step: Step, key: Key, answer: Answer, *, alone: bool = False) -> None:
        """Nothing: an answer from a file that anybody may have written is for this run alone."""

    def age(self, kept: KeptAnswer) -> float:
        """Seconds since it was recorded."""
        return max(0.0, self._clock() - kept.made_at)

    async def ask(self, asking: Asking) -> Answer:
        """The recorded failure of a step. UsageError, which ends the run, when the cassette does not hold it."""
        recorded = self._found[asking.key.digest] if asking.key is not None else None
        if isinstance(recorded, RecordedStep) and recorded.failed is not None:
            failed = recorded.failed
            raise StepFailed(failed.reason, failed.message, provider=failed.provider)
        if isinstance(recorded, RecordedStep):
            raise StepFailed("cancelled", "it had no answer yet when the recorded run ended")
        raise UsageError(
            f"the cassette has no answer for the step {asking.step.label!r}",
            where=self._where,
            why=None if recorded is None else recorded.why,
            hint=None if recorded is None else recorded.hint,
        )

    def _kept(self, answer: RecordedAnswer, value: Any) -> KeptAnswer:
        from engine.store.kept import KeptAnswer  # most runs have no cassette

        return KeptAnswer(
            value=value,
            usage=answer.usage,
            provider=answer.provider,
            model=answer.model,
            seconds=answer.seconds,
            run=self.cassette.run,
            made_at=self.cassette.recorded_at,
        )

    def _missing(self, step: Step, asked: Asked) -> _Missing:
        again = "record it anew with --record, or undo what differs"
        if not self.cassette.steps:
            return _Missing("it holds no step at all", again)
        if (Asked(asked.parts, 1).identity) in self._steps:
            times = sum(1 for one in self.cassette.steps if one.asked == asked.parts)
            return _Missing(f"it holds {times} of these, and this is number {asked.occurrence}", again)
        named = [one for one in self.cassette.steps if one.label == step.label]
        among = (named or self.cassette.steps)[:_CANDIDATES]
        nearest = min(among, key=lambda one: _distance(one, step, asked))
        names = differing(nearest.asked, asked.parts)
        said = "; ".join(_difference(name, nearest.asked.get(name), asked.parts.get(name)) for name in names)
        return _Missing(
            f"the nearest that it holds is {clean_line(nearest.label)!r}, which differs in {said}", again
        )


def _fitting(answer: RecordedAnswer, step: Step) -> Any:
    combined = step.strategy in COMBINING
    schema = None if combined or step.schema is None else Schema(step.schema)
    return checked(Answer(answer.value), schema)


def _distance(recorded: RecordedStep, step: Step, asked: Asked) -> tuple[float, int]:
    """A prompt that resembles it, then few parts that differ."""
    old = str(recorded.asked.get("prompt", ""))[:_COMPARED]
    new = step.prompt[:_COMPARED]
    likeness = 1.0 if old == new else SequenceMatcher(None, old, new, autojunk=False).quick_ratio()
    return -likeness, len(differing(recorded.asked, asked.parts))


def _difference(name: str, old: Any, new: Any) -> str:
    if name == "schema":
        return "schema"
    return f"{clean_line(name)} (recorded {_shown(old, new)}, now {_shown(new, old)})"


def _shown(value: Any, other: Any) -> str:
    """A value, around the place where it begins to differ from another."""
    if not isinstance(value, str):
        return clean_line(str("nothing" if value is None else value), _SHOWN)
    same = 0
    if isinstance(other, str):
        pairs = zip(value, other, strict=False)
        same = next((at for at, (one, two) in enumerate(pairs) if one != two), min(len(value), len(other)))
    start = max(0, same - 15)
    text = value[start : start + _SHOWN]
    return repr(
        clean_line(f"{'…' if start else ''}{text}{'…' if start + _SHOWN < len(value) else ''}", _SHOWN + 2)
    )
