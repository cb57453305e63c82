"""Takes the steps of a run: admits them, finds them again, lets them wait their turn, and ends each exactly once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import cancel_shielded_checkpoint

from engine.dispatch.attempts import Asking
from engine.dispatch.budget import Budget, BudgetCeiling, spent_by
from engine.dispatch.fanout import Fanout
from engine.dispatch.needs import Fingerprints, StepStore
from engine.dispatch.places import Places, Turn
from engine.dispatch.progress import StepWatcher
from engine.dispatch.reuse import Reuse
from engine.dispatch.wording import EXCERPT, excerpt, message
from engine.errors import (
    CeilingReached,
    MCOError,
    ScriptFailed,
    StepFailed,
    StorageFailed,
    first_of_ours,
)
from engine.record.events import BudgetReached, StepFinished, StepQueued, StepReused, Tokens
from engine.record.events import StepFailed as StepFailedEvent
from engine.record.stream import Stream
from engine.step import Answer, Key, KeyMaker, Step

if TYPE_CHECKING:
    from engine.dispatch.cache import KeptAnswer

Outcome = Answer | StepFailed | CeilingReached
Done = Callable[[Outcome], None]


MOST_REFUSED = 10_000
"""So often a script may ask beyond its ceiling, as one `parallel` over many items does."""


class Limits(NamedTuple):
    """How many steps a run may take, and how many at once."""

    max_steps: int
    max_parallel: int


class Ticket(NamedTuple):
    """A step that was let in: its number (from 1), key, scope, and who waits for its outcome."""

    number: int
    step: Step
    key: Key
    scope: int
    done: Done


class Scheduler:
    """The steps of one run. `submit` never blocks; a reused step's outcome is told before it returns."""

    def __init__(
        self,
        *,
        fanout: Fanout,
        reuse: Reuse,
        stream: Stream,
        budget: Budget,
        fingerprints: Fingerprints,
        store: StepStore,
        limits: Limits,
        tasks: TaskGroup,
        clock: Callable[[], float],
    ) -> None:
        self._fanout = fanout
        self._reuse = reuse
        self._stream = stream
        self.budget = budget
        self._fingerprints = fingerprints
        self._store = store
        self._limits = limits
        self._tasks = tasks
        self._clock = clock
        self._keys = KeyMaker()
        self._places = Places(limits.max_parallel)
        self._count = 0
        self._refused = 0
        self._unprepared = 0
        self._told: set[tuple[str, str, float]] = set()
        self.ceiling: CeilingReached | None = None
        """The ceiling that was reached last, if one was."""

    def submit(self, step: Step, scope: int, done: Done) -> None:
        """Take a step. `done` hears its one outcome: an answer, a failure, or the ceiling that kept it out."""
        # A step that need not wait for the manifest still may not overtake equal ones that do: occurrences are
        # counted in the order of the calls.
        if self._unprepared == 0 and self._fingerprints.known(step):
            self._admit(step, scope, done)
        else:
            self._unprepared += 1
            self._tasks.start_soon(self._admit_prepared, step, scope, done)

    async def _admit_prepared(self, step: Step, scope: int, done: Done) -> None:
        await self._fingerprints.prepare()
        self._unprepared -= 1
        self._admit(step, scope, done)

    def _admit(self, step: Step, scope: int, done: Done) -> None:
        try:
            self._check_ceilings(scope)
        except CeilingReached as ceiling:
            self._refuse(ceiling, done)
            return
        self._count += 1
        key = self._keys.key(step, self._fingerprints.of(step))
        ticket = Ticket(number=self._count, step=step, key=key, scope=scope, done=done)
        self._stream.emit(
            StepQueued,
            step=ticket.number,
            label=step.label,
            phase=step.phase,
            prompt=step.prompt[:EXCERPT],
            key=key.digest,
            occurrence=key.parts["occurrence"],
            providers=[choice.name for choice in step.providers],
            more=True,  # what follows is written with it
        )
        kept = self._kept(ticket)
        if kept is not None:
            self._find_again(ticket, kept)
            return
        if self._places.free == 0:
            self._stream.flush()
        self._tasks.start_soon(self._run, ticket)

    def behind(self, error: MCOError) -> MCOError:
        """An error by what it is: a script that let our ceiling pass through it ended at that ceiling."""
        passed = isinstance(error, ScriptFailed) and error.exception in ("BudgetExceeded", "LimitExceeded")
        return self.ceiling if passed and self.ceiling is not None else error

    def refuse(self, *, label: str, phase: str, prompt: str, failure: StepFailed) -> None:
        """Record a step that could not even be sent: it counts, and ends as failed."""
        if self._count >= self._limits.max_steps:
            return
        self._count += 1
        number = self._count
        self._stream.emit(StepQueued, step=number, label=label, phase=phase, prompt=prompt[:EXCERPT], key="")
        self._stream.emit(
            StepFailedEvent,
            step=number,
            reason=failure.reason,
            message=message(failure),
            provider=failure.provider,
        )

    def _refuse(self, ceiling: CeilingReached, done: Done) -> None:
        """Keep a step out. A script that asks on and on all the same is ended: CeilingReached."""
        self.ceiling = ceiling
        self._refused += 1
        if self._refused > MOST_REFUSED:
            raise ceiling
        done(ceiling)

    def _check_ceilings(self, scope: int) -> None:
        limit = self._limits.max_steps
        if self._count >= limit:
            self._tell_ceiling(scope="run", unit="steps", limit=limit, spent=self._count)
            raise CeilingReached(
                "limit",
                f"the run has made its {limit:,} steps",
                hint="set max_steps higher in your settings if the script really needs more",
            )
        try:
            self.budget.check(scope)
        except BudgetCeiling as ceiling:
            where = "run" if ceiling.whole else "block"
            self._tell_ceiling(scope=where, unit=ceiling.unit, limit=ceiling.limit, spent=ceiling.spent)
            raise

    def _tell_ceiling(self, **facts: Any) -> None:
        # Told once: a script that goes on asking would fill the journal with it.
        identity = (facts["scope"], facts["unit"], facts["limit"])
        if identity not in self._told:
            self._told.add(identity)
            self._stream.emit(BudgetReached, **facts)

    def _kept(self, ticket: Ticket) -> KeptAnswer | None:
        try:
            return self._reuse.find(ticket.step, ticket.key)
        except StorageFailed as error:  # the run ends with it; in the record the step does so first
            self._tell_failure(ticket, StepFailed("crashed", str(error)), 0.0)
            raise

    def _find_again(self, ticket: Ticket, kept: KeptAnswer) -> None:
        answer = kept.answer()
        ticket.done(answer)  # the script goes on while this is written down
        self._stream.emit(
            StepReused,
            step=ticket.number,
            provider=answer.provider,
            model=answer.model,
            from_run=kept.run,
            age=self._reuse.age(kept),
            saved=Tokens.of(answer.usage),
            answer=excerpt(answer),
            note=self._fanout.note(ticket.step),
        )

    async def _run(self, ticket: Ticket) -> None:
        started = self._clock()
        watcher = StepWatcher(ticket.number, self._stream, self._clock)
        try:
            check = partial(self.budget.check, ticket.scope)
            async with Turn(self._places, check) as turn:
                check()  # others may have spent it while this one waited
                stem = self._store.stem(ticket.number, ticket.step)
                answer = await self._fanout.ask(Asking(ticket.step, watcher, turn, stem))
                self.budget.spend(ticket.scope, answer.usage)
            await self._let_the_next_begin()
            self._finish(ticket, answer)
        except (StepFailed, CeilingReached) as failure:
            self.ceiling = failure if isinstance(failure, CeilingReached) else self.ceiling
            self._fail(ticket, failure, self._clock() - started)
        except anyio.get_cancelled_exc_class():
            self._fail(ticket, StepFailed("cancelled", "the run was stopped"), self._clock() - started)
            raise
        except Exception as error:  # the run ends with it; in the record the step does so first
            with suppress(StorageFailed):
                failure = StepFailed("crashed", str(first_of_ours(error) or error))
                self._tell_failure(ticket, failure, self._clock() - started)
            raise
        finally:
            if ticket.step.writes:
                self._fingerprints.forget()

    async def _let_the_next_begin(self) -> None:
        """When steps end in a burst, those that got their places start before the answers are written down."""
        if self._places.free == 0:
            await cancel_shielded_checkpoint()  # they wake up
            await cancel_shielded_checkpoint()  # they start

    def _finish(self, ticket: Ticket, answer: Answer) -> None:
        # Kept before it is told: an answer that the script has seen is never paid for again. The event can wait for
        # the script to go on: nothing of what it does next is taken before.
        self._reuse.keep(ticket.step, ticket.key, answer)
        self._store.keep(ticket.number, ticket.step, answer)
        ticket.done(answer)
        self._stream.emit(
            StepFinished,
            step=ticket.number,
            provider=answer.provider,
            model=answer.model,
            seconds=answer.seconds,
            usage=Tokens.of(answer.usage),
            answer=excerpt(answer),
            session_id=answer.session_id,
            note=self._fanout.note(ticket.step),
        )

    def _fail(self, ticket: Ticket, failure: StepFailed | CeilingReached, seconds: float) -> None:
        if isinstance(failure, StepFailed):
            self.budget.spend(ticket.scope, spent_by(failure))
        self._store.keep(ticket.number, ticket.step, None)
        self._tell_failure(ticket, failure, seconds)
        ticket.done(failure)

    def _tell_failure(self, ticket: Ticket, failure: StepFailed | CeilingReached, seconds: float) -> None:
        self._stream.emit(
            StepFailedEvent,
            step=ticket.number,
            reason=failure.reason if isinstance(failure, StepFailed) else failure.kind,
            message=message(failure),
            provider=failure.provider if isinstance(failure, StepFailed) else None,
            seconds=seconds,
            usage=Tokens.of(spent_by(failure)),
        )
