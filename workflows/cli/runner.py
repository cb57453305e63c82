"""Drives one run for `mco run` and `mco resume`: worker, views, signals, and what is said and left at the end."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine.errors import MCOError
from workflows.cli.caller import Caller, read_source
from workflows.cli.consent import Consent
from workflows.cli.failure import describe
from workflows.cli.outlet import tell
from workflows.cli.report import echo_data, echo_document, echo_report, reader_left, refusals_shown
from workflows.script import Script

if TYPE_CHECKING:
    from engine.record.events import Event
    from engine.record.view import RunView
    from engine.sandbox.host import Worker
    from engine.settings import Settings
    from engine.source import ScriptSource
    from engine.surroundings import RunOutcome, RunRequest

EXIT_CODES = {
    "done": 0,
    "failed": 1,
    "refused": 2,
    "partial": 3,
    "no_provider": 4,
    "ceiling": 5,
    "cancelled": 130,
}
Output = Literal["report", "json", "events"]


class Order(NamedTuple):
    """What the command line asked for. `texts` are arguments as typed, `flags` settings by name.

    `trust` is a yes to the script, and to those of the project that it calls; `untrusted` wants the whole sandbox.
    """

    script: Script
    reference: str
    args: Mapping[str, Any] = MappingProxyType({})
    texts: Mapping[str, str] = MappingProxyType({})
    flags: Mapping[str, Any] = MappingProxyType({})
    parent: str | None = None
    fresh: bool = False
    output: Output = "report"
    plain: bool = False
    trust: bool = False
    untrusted: bool = False


def carry_out(order: Order, caller: Caller) -> int:
    """Run it to its end, say how it ended, leave its data on stdout; the exit code."""
    with refusals_shown(order.script.name, order.output):
        drive = _Drive.of(order, caller)
        outcome = drive.to_the_end()
    _close(order, outcome, drive.view, caller)
    return EXIT_CODES[outcome.status]


class _Drive(NamedTuple):
    """One run, from a worker that is starting to its outcome."""

    order: Order
    caller: Caller
    source: ScriptSource
    settings: Settings
    worker: Worker
    view: RunView

    @classmethod
    def of(cls, order: Order, caller: Caller) -> _Drive:
        source = read_source(order.script, order.reference)
        settings = caller.settings(order.flags).settings
        Consent(caller, order.trust).to_run(order.script, source, settings)
        worker = _spawn(settings)  # gets ready, and compiles, while the rest is imported
        from engine.record.view import RunView

        return cls(order, caller, source, settings, worker, RunView())

    def to_the_end(self) -> RunOutcome:
        try:
            if not (self.order.untrusted or self.source.foreign):  # what is waits for its worker's wall
                self.worker.send_ahead(self.source.name, self.source.source)
            import anyio

            return anyio.run(self._follow)
        finally:
            self.worker.kill()

    async def _follow(self) -> RunOutcome:
        import anyio

        gc.freeze()  # what was imported stays: looking through it again and again would cost a long run its time

        from engine.run import run_script
        from workflows.cli.follower import shown, wants_plain
        from workflows.cli.signals import stopping

        stop = anyio.Event()
        consent = Consent(self.caller, self.order.trust)
        around = self.caller.surroundings(self.settings, consent.to_call)
        plain = wants_plain(self.caller.environment, asked=self.order.plain)
        with stopping(stop.set, exit_code=EXIT_CODES["cancelled"]):
            async with shown(self.view, self.caller.clock, plain=plain) as show:
                views = [show, event_writer()] if self.order.output == "events" else [show]
                return await run_script(self._request(), around, worker=self.worker, views=views, stop=stop)

    def _request(self) -> RunRequest:
        from engine.surroundings import RunRequest

        order = self.order
        return RunRequest(
            script=self.source,
            args=order.args,
            texts=order.texts,
            parent=order.parent,
            fresh=order.fresh,
            untrusted=order.untrusted,
        )


def _spawn(settings: Settings) -> Worker:
    from engine.sandbox.allowance import worker_limits
    from engine.sandbox.spawn import spawn_worker

    limits = worker_limits(settings)
    process, connection = spawn_worker(limits)  # before our own end of it is imported, which takes as long
    from engine.sandbox.host import Worker

    return Worker(process, connection, limits)


def event_writer() -> Callable[[Event], None]:
    """Writes each event to stdout as a JSON line, until nobody reads them any more; the run goes on without."""
    reading = True

    def write(event: Event) -> None:
        nonlocal reading
        if not reading:
            return
        try:
            echo_data(event.model_dump_json())
        except BrokenPipeError:
            reading = False
            reader_left()
        except MCOError as error:  # a full disk: told once
            reading = False
            tell(describe(error))

    return write


def _close(order: Order, outcome: RunOutcome, view: RunView, caller: Caller) -> None:
    from workflows.cli.follower import closing_lines

    if not view.finished:
        view.status = outcome.status  # the journal did not take the last event
    try:
        if order.output == "json":
            echo_document(outcome)
        elif order.output == "report" and outcome.error is None:
            echo_report(outcome.result)
    except BrokenPipeError:
        reader_left()
    finally:  # how the run ended is said all the same
        if outcome.status == "cancelled":
            tell(f"stopped; take it up again with: mco resume {outcome.run_id}")
        elif outcome.error is not None:
            tell(describe(outcome.error))
        tell(closing_lines(view, _near(outcome.folder, caller.folder), caller.clock()))


def _near(path: Path, folder: Path) -> str:
    """A path as somebody in `folder` writes it."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
