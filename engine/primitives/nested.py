"""Workflows inside a run: each has a worker of its own, all share the scheduler, the budget and the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup

from engine.dispatch.budget import RUN
from engine.dispatch.scheduler import Scheduler
from engine.errors import CeilingReached, MCOError, UsageError
from engine.json_value import is_object
from engine.primitives.scopes import SCOPES_A_WORKER, ScopeNumbers
from engine.primitives.selection import Selection
from engine.primitives.service import LogAllowance, Nested, Primitives
from engine.record.stream import Stream
from engine.sandbox.host import BudgetTotals, Worker
from engine.sandbox.spare import Workers
from engine.schema import check_arguments
from engine.source import ScriptSource

WORKERS_AT_ONCE = 4


Finished = Callable[[Any], None]
"""Hears what a workflow inside returned, or the MCOError that ended it."""


@dataclass
class NestedRuns:
    """Runs the script of a run, and the workflows that it asks for: one level deep and a few at once."""

    find: Callable[[str], ScriptSource]
    workers: Workers
    untrusted: bool
    scheduler: Scheduler
    selection: Selection
    stream: Stream
    allowance: LogAllowance
    tasks: TaskGroup
    most: int
    _places: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(WORKERS_AT_ONCE))
    _count: int = 0

    async def outermost(self, worker: Worker, args: Any) -> Any:
        """Run the run's own script, which its worker has loaded, and give its result."""
        return await self._serve(worker, args, ScopeNumbers(self.scheduler.budget, 0, RUN), self._start)

    async def _serve(self, worker: Worker, args: Any, scopes: ScopeNumbers, nested: Nested) -> Any:
        run = self.scheduler.budget.run
        primitives = Primitives(
            worker=worker,
            scheduler=self.scheduler,
            selection=self.selection,
            stream=self.stream,
            allowance=self.allowance,
            nested=nested,
            scopes=scopes,
        )
        return await worker.run(args, BudgetTotals(tokens=run.tokens, cost=run.cost), primitives.handle)

    def _start(self, name: str, args: Any, scope: int, finished: Finished) -> None:
        if self._count >= self.most:
            ceiling = CeilingReached("limit", f"the run has called workflow() {self.most:,} times")
            self.scheduler.reached(ceiling)
            finished(ceiling)
            return
        self._count += 1
        # Numbered here, in the order of the calls: those that are under way at once must not share their scopes.
        scopes = ScopeNumbers(self.scheduler.budget, self._count * SCOPES_A_WORKER, scope)
        self.tasks.start_soon(self._run, name, args, scopes, finished)

    async def _run(self, name: str, args: Any, scopes: ScopeNumbers, finished: Finished) -> None:
        try:
            async with self._places:
                result = await self._script(name, args, scopes)
        except MCOError as error:
            finished(self.scheduler.behind(error))
        else:
            finished(result)

    async def _script(self, name: str, args: Any, scopes: ScopeNumbers) -> Any:
        script = self.find(name)
        worker = self.workers.take()
        try:
            untrusted = self.untrusted or script.foreign
            meta = await worker.load(script.name, script.source, untrusted=untrusted)
            given: Any = {} if args is None else args
            if not is_object(given):
                raise UsageError(f"workflow({name!r}): the arguments are an object")
            checked = check_arguments(meta.get("args"), given)
            return await self._serve(worker, checked, scopes, _refuse)
        finally:
            worker.kill()


def _refuse(name: str, args: Any, scope: int, finished: Finished) -> None:
    finished(UsageError(f"workflow({name!r}): a workflow inside a workflow cannot call a third"))
