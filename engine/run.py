"""Puts one run together: script, worker, steps, record. Whatever happens, the record ends with RunFinished."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import anyio
from anyio.abc import TaskGroup

from engine.assembly import Assembly
from engine.dispatch.scheduler import Scheduler
from engine.errors import (
    CeilingReached,
    MCOError,
    NoProviderReady,
    RunCancelled,
    UsageError,
    first_of_ours,
)
from engine.primitives.nested import NestedRuns
from engine.primitives.selection import Selection
from engine.primitives.service import LogAllowance
from engine.process_watch import household
from engine.record.events import Event, RunFinished, RunStarted, Status, Tokens
from engine.record.folder import RunFolder, make_state_folder, new_run_id, write_atomically, write_json
from engine.record.journal import Journal
from engine.record.lock import RunLock
from engine.record.steps import StepFile
from engine.record.stream import Stream
from engine.record.taking_up import take_up
from engine.record.view import RunView
from engine.sandbox.allowance import worker_limits
from engine.sandbox.host import Worker
from engine.sandbox.spare import Workers
from engine.schema import check_arguments, coerce_arguments
from engine.summary import write_summary
from engine.surroundings import RunOutcome, RunRequest, Surroundings
from engine.text import clean_block


async def run_script(
    request: RunRequest,
    around: Surroundings,
    *,
    worker: Worker,
    views: Sequence[Callable[[Event], None]] = (),
    stop: anyio.Event | None = None,
) -> RunOutcome:
    """Run one script to its end in `worker`, which is dead afterwards. Setting `stop` cancels it in order.

    Raises ScriptRefused, WallMissing, UsageError, NoProviderReady or StorageFailed before anything is recorded or
    spent; what goes wrong later is in the outcome.
    """
    try:
        meta = await worker.load(request.script.name, request.script.source, untrusted=request.needs_wall)
        args = _arguments(meta, request)
        Selection(around.registry, pinned=None, ceiling="read").check_pinned()
        with household():  # what the run's programs leave behind ends with it
            return await _Run(request, around, meta, args, views).drive(worker, stop)
    finally:
        worker.kill()


def _arguments(meta: Mapping[str, Any], request: RunRequest) -> dict[str, Any]:
    schema = meta.get("args")
    given = {**request.args, **coerce_arguments(schema, request.texts)}
    try:
        return check_arguments(schema, given)
    except UsageError as error:
        error.where = request.script.name
        raise


class _Run:
    """One run from its folder to its last event."""

    def __init__(
        self,
        request: RunRequest,
        around: Surroundings,
        meta: Mapping[str, Any],
        args: dict[str, Any],
        views: Sequence[Callable[[Event], None]],
    ) -> None:
        self._request = request
        self._around = around
        self._meta = meta
        self._args = args
        self._started = around.clock()
        with ExitStack() as opened:
            if request.parent is not None and (claim := take_up(around.runs, request.parent)):
                opened.callback(claim.release)
            make_state_folder(around.state)
            self._folder = self._new_folder()
            opened.enter_context(RunLock(self._folder.lock))
            self._write_facts()
            self._step_file = opened.enter_context(closing(StepFile(self._folder)))
            journal = opened.enter_context(closing(Journal(self._folder.journal)))
            self._opened = opened.pop_all()
        self._stream = Stream(journal, around.clock)
        self._steps: Scheduler | None = None
        self._allowance = LogAllowance(around.settings.max_log_lines, self._stream)
        self._view = RunView()
        self._stream.subscribe(self._view.apply)
        for view in views:
            self._stream.subscribe(view)

    def _new_folder(self) -> RunFolder:
        """A folder that nobody has: runs of the same second differ by chance, and chance may repeat itself."""
        runs = self._around.runs
        while True:
            run_id = new_run_id(self._started, f"{self._around.random.getrandbits(16):04x}")
            if not (runs / run_id).exists():
                return RunFolder.create(runs, run_id)

    async def drive(self, worker: Worker, stop: anyio.Event | None) -> RunOutcome:
        result: Any = None
        error: MCOError | None = None
        try:
            self._start()
            result = await self._script_to_its_end(worker, stop)
        except BaseException as caught:
            error = first_of_ours(caught)
            if error is None:  # a cancellation from above, or a fault of ours: recorded, then passed on
                self._finish(None, _unplanned(caught))
                raise
            error = error if self._steps is None else self._steps.behind(error)
        return self._finish(result, error)

    def _start(self) -> None:
        self._stream.emit(
            RunStarted,
            run_id=self._folder.run_id,
            workflow=self._meta["name"],
            description=self._meta["description"],
            script_hash=self._request.script.digest,
            args=self._args,
            phases=[phase["title"] for phase in self._meta.get("phases", [])],
            mco_version=self._around.version,
            workspace=str(self._around.workspace),
            parent=self._request.parent,
            answers=self._around.answers,
        )

    async def _script_to_its_end(self, worker: Worker, stop: anyio.Event | None) -> Any:
        result: Any = None
        stopped = False
        async with anyio.create_task_group() as tasks:

            async def watch_for_stop(event: anyio.Event) -> None:
                nonlocal stopped
                await event.wait()
                stopped = True
                tasks.cancel_scope.cancel()

            if stop is not None:
                tasks.start_soon(watch_for_stop, stop)
            result = await self._scripts(tasks).outermost(worker, self._args)
            tasks.cancel_scope.cancel()  # steps that the script started and did not wait for
        if stopped:
            raise RunCancelled("the run was stopped")
        return result

    def _scripts(self, tasks: TaskGroup) -> NestedRuns:
        settings = self._around.settings
        return NestedRuns(
            find=self._around.find,
            workers=self._workers(),
            untrusted=self._request.needs_wall,
            scheduler=self._scheduler(tasks),
            selection=Selection(self._around.registry, pinned=settings.provider, ceiling=settings.access),
            stream=self._stream,
            allowance=self._allowance,
            tasks=tasks,
            most=settings.max_steps,
        )

    def _workers(self) -> Workers:
        return self._opened.enter_context(closing(Workers(worker_limits(self._around.settings))))

    def _scheduler(self, tasks: TaskGroup) -> Scheduler:
        self._steps = Assembly(
            self._request, self._around, self._folder, self._stream, self._step_file, self._opened
        ).scheduler(tasks)
        return self._steps

    def _finish(self, result: Any, error: MCOError | None) -> RunOutcome:
        """Write what the run came to. A disk that does not take it makes the run a failed one, never a lost one."""
        status: Status = "failed"
        try:
            error = self._keep(result, error)
            status = self._status(error)
            self._emit_finished(status, error)
        except MCOError as storage:
            status, error = "failed", error or storage
        finally:
            self._opened.close()
        counts = self._view.counts
        return RunOutcome(
            run_id=self._folder.run_id,
            folder=self._folder.path,
            workflow=self._meta["name"],
            status=status,
            result=result,
            error=error,
            steps=counts.as_dict(),
            usage=self._view.usage,
            seconds=self._around.clock() - self._started,
        )

    def _keep(self, result: Any, error: MCOError | None) -> MCOError | None:
        """Write result and report; what went wrong by then. Before RunFinished, which tells of a full disk too."""
        ended = replace(self._view, status=self._status(error), error=_said(error), hint=error and error.hint)
        try:
            if error is None:
                write_json(self._folder.result, result)
            write_summary(self._folder, ended, result, self._stream)
        except MCOError as storage:
            return error or storage
        return error

    def _status(self, error: MCOError | None) -> Status:
        if error is None:
            whole = self._view.counts.failed == self._allowance.lost_items == 0
            return "done" if whole else "partial"
        if isinstance(error, RunCancelled):
            return "cancelled"
        if isinstance(error, CeilingReached):
            return "ceiling"
        return "no_provider" if isinstance(error, NoProviderReady) else "failed"

    def _emit_finished(self, status: Status, error: MCOError | None) -> None:
        self._stream.emit(
            RunFinished,
            status=status,
            error=_said(error),
            hint=error and error.hint,
            seconds=self._around.clock() - self._started,
            usage=Tokens.of(self._view.usage),
        )

    def _write_facts(self) -> None:
        write_atomically(self._folder.script, self._request.script.source)
        of_run = {"run_id": self._folder.run_id, "workflow": self._meta["name"], "args": self._args}
        facts = {**of_run, "started_at": self._started, **self._request.facts(), **self._around.facts()}
        write_json(self._folder.run_json, facts)


def _said(error: MCOError | None) -> str | None:
    return error and clean_block(str(error), 4_000)


def _unplanned(caught: BaseException) -> MCOError:
    if isinstance(caught, anyio.get_cancelled_exc_class()):
        return RunCancelled("the run was stopped")
    return MCOError(f"mco itself failed: {type(caught).__name__}: {caught}")
