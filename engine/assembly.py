"""Puts together what takes the steps of one run: whom they ask, where answers are found, and what they may cost."""

from __future__ import annotations

from contextlib import ExitStack
from typing import NamedTuple

import anyio
from anyio.abc import TaskGroup

from engine.dispatch.attempts import Attempts, Manner
from engine.dispatch.budget import Budget
from engine.dispatch.fanout import Fanout
from engine.dispatch.needs import Sources, StepStore
from engine.dispatch.reuse import Reuse
from engine.dispatch.scheduler import Limits, Scheduler
from engine.dispatch.shares import Shares
from engine.dispatch.traffic import Traffic
from engine.dispatch.unfinished import Past
from engine.record.folder import RunFolder
from engine.record.stream import Stream
from engine.store.claims import Claims
from engine.surroundings import RunRequest, Surroundings
from engine.worktree.worktrees import Worktrees


class Assembly(NamedTuple):
    """The parts of one run; what it opens is closed with `opened`."""

    request: RunRequest
    around: Surroundings
    folder: RunFolder
    stream: Stream
    steps: StepStore
    opened: ExitStack

    def scheduler(self, tasks: TaskGroup) -> Scheduler:
        """The scheduler of the run, whose steps are `tasks`."""
        around, settings = self.around, self.around.settings
        past = Past(around.runs, self.request.parent, self.request.on_resume)
        sources = self._sources(past)
        return Scheduler(
            fanout=sources.answerer,
            reuse=sources.store,
            stream=self.stream,
            budget=Budget(settings.budget, settings.max_cost),
            fingerprints=around.fingerprints(self.folder.path, self.request, self.stream),
            store=self.steps,
            limits=Limits(max_steps=settings.max_steps, max_parallel=settings.max_parallel),
            tasks=tasks,
            clock=around.clock,
            past=past,
            claims=self._claims(),
        )

    def _sources(self, past: Past) -> Sources:
        reuse = self._reuse(past)
        return self.around.sources(Sources(Fanout(self._attempts(), Shares(reuse)), reuse))

    def _reuse(self, past: Past) -> Reuse:
        around = self.around
        reuse = Reuse(
            around.workspace_cache / "answers",
            stream=self.stream,
            run_id=self.folder.run_id,
            clock=around.clock,
            expire=around.settings.expire_days * 86400,
            fresh=self.request.fresh,
            read_only=around.answers != "providers",
            lineage=past.runs,
        )
        self.opened.callback(reuse.close)
        return reuse

    def _attempts(self) -> Attempts:
        around, settings = self.around, self.around.settings
        manner = Manner.of(settings, around.workspace, around.random.random)
        slots = around.cache_folder / "slots"
        traffic = Traffic.of(settings, around.registry.limits(), slots, self.stream)
        worktrees = Worktrees(around.workspace, around.workspace_cache / "worktrees", self.folder)
        return Attempts(around.registry.get, manner, traffic, worktrees)

    def _claims(self) -> Claims | None:
        """None where the answers come from elsewhere: nobody else can want those."""
        if self.around.answers != "providers":
            return None
        claims = Claims(self.around.workspace_cache / "claims", anyio.sleep)
        self.opened.callback(claims.close)
        return claims
