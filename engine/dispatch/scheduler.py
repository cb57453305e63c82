"""Takes the steps of a run: admits them, finds them again, lets them wait their turn, and ends each exactly once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import cancel_shielded_checkpoint

from engine.dispatch.attempts import Asking
from engine.dispatch.budget import Budget, spent_by
from engine.dispatch.ceilings import Ceilings
from engine.dispatch.needs import Answerer, AnswerStore, Fingerprints, StepStore
from engine.dispatch.places import Places, Turn
from engine.dispatch.progress import StepWatcher
from engine.dispatch.runners import Runners
from engine.dispatch.sharing import Sharing
from engine.dispatch.teller import Teller
from engine.dispatch.ticket import Done, Ticket
from engine.dispatch.unfinished import Past
from engine.errors import (
    CeilingReached,
    MCOError,
    ScriptFailed,
    StepFailed,
    StorageFailed,
    first_of_ours,
)
from engine.record.steps import Miss
from engine.record.stream import Stream
from engine.step import Answer, Key, KeyMaker, Step
from engine.store.claims import Claims
from engine.workspace.fingerprints import Seen

if TYPE_CHECKING:
    from engine.store.kept import KeptAnswer

    Find = Callable[[Step, Key], KeptAnswer | Miss]


class Limits(NamedTuple):
    """How many steps a run may take, and how many at once."""

    max_steps: int
    max_parallel: int


class Scheduler:
    """The steps of one run. `submit` never blocks; a reused step's outcome is told before it returns."""

    def __init__(
        self,
        *,
        fanout: Answerer,
        reuse: AnswerStore,
        stream: Stream,
        budget: Budget,
        fingerprints: Fingerprints,
        store: StepStore,
        limits: Limits,
        tasks: TaskGroup,
        clock: Callable[[], float],
        past: Past,
        claims: Claims | None = None,
    ) -> None:
        self._fanout = fanout
        self._reuse = reuse
        self._stream = stream
        self.budget = budget
        self._fingerprints = fingerprints
        self._store = store
        self._tasks = tasks
        self._runners = Runners(tasks, self._run)
        self._clock = clock
        self._past = past
        self._keys = KeyMaker()
        self._places = Places(limits.max_parallel)
        self._count = 0
        self._unprepared = 0
        self._ceilings = Ceilings(limits.max_steps, budget, stream)
        self._teller = Teller(stream, fanout)
        self._sharing = Sharing(reuse, claims, self._teller.waits)

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
        ceiling = self._ceilings.check(self._count, scope)
        if ceiling is not None:
            done(ceiling)
            return
        self._count += 1
        ticket, kept = self._looked_up(step, scope, done)
        if isinstance(kept, str):
            self._teller.queued(ticket)
            if self._places.free == 0:
                self._teller.flush()
            self._runners.start(ticket._replace(miss=kept))
        elif isinstance(kept, StepFailed):
            self._teller.queued(ticket)
            self._fail(ticket, kept, 0.0)
        else:
            answer = self._found(ticket, kept)
            self._teller.queued(ticket)
            self._teller.reused(ticket, kept, answer, self._reuse.age(kept))

    def reached(self, ceiling: CeilingReached) -> None:
        """A ceiling kept something out: what ends the script then may be no more than that."""
        self._ceilings.last = ceiling

    def behind(self, error: MCOError) -> MCOError:
        """An error by what it is: a script that let our ceiling pass through it ended at that ceiling."""
        passed = isinstance(error, ScriptFailed) and error.exception in ("BudgetExceeded", "LimitExceeded")
        return (passed and self._ceilings.last) or error

    def refuse(self, *, label: str, phase: str, prompt: str, failure: StepFailed) -> None:
        """Record a step that could not even be sent: it counts, and ends as failed."""
        if self._ceilings.has_room(self._count):
            self._count += 1
            self._teller.unsent(self._count, label, phase, prompt, failure)

    def _looked_up(self, step: Step, scope: int, done: Done) -> tuple[Ticket, KeptAnswer | Miss | StepFailed]:
        """The step over the files as an earlier run saw them, where its answer is kept; else as they are now."""
        *earlier, now = self._fingerprints.seen(step)
        for seen in earlier:
            ticket = self._ticket(step, scope, done, seen)
            kept = self._kept(ticket, self._reuse.find)
            if not isinstance(kept, str):
                return ticket, kept
        ticket = self._ticket(step, scope, done, now)
        return ticket, self._kept(ticket, self._sharing.find)

    def _ticket(self, step: Step, scope: int, done: Done, seen: Seen) -> Ticket:
        key = self._keys.key(step, seen.fingerprint)
        return Ticket(self._count, step, key, scope, done, seen.manifest)

    def _kept(self, ticket: Ticket, find: Find) -> KeptAnswer | Miss | StepFailed:
        """What is kept, or why the step has to run, or why it may not after it was cut off in an earlier run."""
        try:
            kept = find(ticket.step, ticket.key)
            return (isinstance(kept, str) and self._past.verdict(ticket.step, ticket.key)) or kept
        except MCOError as error:  # the run ends with it; in the record the step does so first
            reason = "crashed" if isinstance(error, StorageFailed) else "cancelled"
            self._teller.queued(ticket)
            self._teller.failed(ticket, StepFailed(reason, str(error)), 0.0)
            raise

    def _found(self, ticket: Ticket, kept: KeptAnswer) -> Answer:
        """Tell a kept answer. The record can wait for the script to go on: what it does next is not taken before."""
        if ticket.step.writes_in_place:
            self._fingerprints.follow(ticket.key.digest)
        answer = kept.answer()
        if answer.patches:
            self._store.offer_again(ticket.number, ticket.step, answer.patches, kept.run)
        ticket.done(answer)
        return answer

    async def _run(self, ticket: Ticket) -> None:
        started = self._clock()
        in_place = ticket.step.writes_in_place
        watcher = StepWatcher(ticket.number, self._stream, self._clock, writes=in_place)
        try:
            if found := await self._sharing.others(ticket.step, ticket.key):
                self._teller.reused(ticket, found, self._found(ticket, found), self._reuse.age(found))
                return
            check = partial(self.budget.check, ticket.scope)
            async with Turn(self._places, check) as turn:
                check()  # others may have spent it while this one waited
                stem = self._store.stem(ticket.number, ticket.step)
                asking = Asking(ticket.step, watcher, turn, stem, ticket.key, ticket.number)
                answer = await self._fanout.ask(asking)
                self.budget.spend(ticket.scope, answer.usage)
            await self._let_the_next_begin()
            await self._finish(ticket, answer)
        except (StepFailed, CeilingReached) as failure:
            if isinstance(failure, CeilingReached):
                self.reached(failure)
            self._fail(ticket, failure, self._clock() - started)
        except anyio.get_cancelled_exc_class():
            self._fail(ticket, StepFailed("cancelled", "the run was stopped"), self._clock() - started)
            raise
        except Exception as error:  # the run ends with it; in the record the step does so first
            with suppress(StorageFailed):
                failure = StepFailed("crashed", str(first_of_ours(error) or error))
                self._teller.failed(ticket, failure, self._clock() - started)
            raise
        finally:
            self._sharing.let_go(ticket.key)
            if in_place:
                self._fingerprints.forget(ticket.key.digest)

    async def _let_the_next_begin(self) -> None:
        """When steps end in a burst, those that got their places start before the answers are written down."""
        if self._places.free == 0:
            await cancel_shielded_checkpoint()  # they wake up
            await cancel_shielded_checkpoint()  # they start

    async def _finish(self, ticket: Ticket, answer: Answer) -> None:
        # Kept before it is told: an answer that the script has seen is never paid for again. The record can wait, as
        # that of a kept answer does.
        await self._reuse.keep(ticket.step, ticket.key, answer, alone=self._places.taken == 0)
        ticket.done(answer)
        self._write_down(ticket, answer)
        self._teller.finished(ticket, answer)

    def _write_down(self, ticket: Ticket, answer: Answer | None) -> None:
        self._store.keep(
            ticket.number, ticket.step, answer, key=ticket.key, manifest=ticket.manifest, miss=ticket.miss
        )

    def _fail(self, ticket: Ticket, failure: StepFailed | CeilingReached, seconds: float) -> None:
        if isinstance(failure, StepFailed):
            self.budget.spend(ticket.scope, spent_by(failure))
        self._write_down(ticket, None)
        self._teller.failed(ticket, failure, seconds)
        ticket.done(failure)
