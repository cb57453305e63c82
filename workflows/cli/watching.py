"""`mco run --watch`: the run again at each save, until Ctrl-C. What was answered before is reused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from engine.errors import MCOError, ScriptRefused
from engine.text import clean_line
from workflows.cli.caller import Caller, read_source
from workflows.cli.consent import Consent
from workflows.cli.failure import describe
from workflows.cli.figures import count, duration, spending
from workflows.cli.outlet import tell
from workflows.cli.report import refusals_shown
from workflows.cli.runner import EXIT_CODES, Drive, Order, near
from workflows.cli.signals import stopping
from workflows.places import STATE
from workflows.rerun import RunTexts, Saves, folders_of

if TYPE_CHECKING:
    from engine.record.view import RunView
    from engine.settings import Settings
    from engine.source import ScriptSource
    from engine.surroundings import RunOutcome
    from workflows.script import Script

REMARK = "with --watch a yes also holds for every version that is saved until you end it"


def keep_running(order: Order, caller: Caller) -> int:
    """Run it, and again whenever a script of it is saved; the exit code, when somebody ends it.

    What keeps the first run from beginning, but for a script that does not compile, is raised.
    """
    consent = SessionConsent(Consent(caller, order.trust, REMARK))
    with refusals_shown(order.script.name, order.output):
        first = Drive.of(order, caller, consent)
    return anyio.run(_Session(order, caller, consent).run, first)


class SessionConsent:
    """Asks once: who edits a script under `--watch` saves their own text. A file of somebody else is asked about.

    That yes is not kept; with `--trust` every version is, as always.
    """

    def __init__(self, consent: Consent) -> None:
        self._consent = consent
        self._agreed: set[Path] = set()
        """The real paths of the scripts that somebody agreed to in this session."""
        self.texts = RunTexts()

    def to_run(self, script: Script, source: ScriptSource, settings: Settings) -> None:
        """Before anything of a version runs."""
        self.texts.begin(script.path.absolute(), source.digest)
        if not self._covers(source):
            self._consent.to_run(script, source, settings)
            self._agree(source)

    def to_call(self, name: str) -> ScriptSource:
        """The script that `workflow()` names."""
        caller = self._consent.caller
        script = caller.library.find(name, caller.folder)
        source = read_source(script, name)
        self.texts.took(script.path.absolute(), source.digest)
        if not self._covers(source):
            source = self._consent.to_call(name)
            self._agree(source)
        return source

    def _covers(self, source: ScriptSource) -> bool:
        return not self._consent.given and not source.foreign and source.path in self._agreed

    def _agree(self, source: ScriptSource) -> None:
        if source.path is not None:
            self._agreed.add(source.path)


class _Session:
    """One `mco run --watch`, from its first run to Ctrl-C."""

    def __init__(self, order: Order, caller: Caller, consent: SessionConsent) -> None:
        self._order = order
        self._caller = caller
        self._consent = consent
        self._saves = Saves(consent.texts)
        self._good: str | None = None
        """Where the result of the last run is that had one."""

    async def run(self, first: Drive) -> int:
        ended = anyio.Event()
        error: MCOError | None = None
        places = self._caller.places
        folders = folders_of([self._order.script.path], [places.project_workflows, places.user_workflows])
        self._tell_of_reads(first)
        with stopping(ended.set, exit_code=EXIT_CODES["cancelled"]):
            async with anyio.create_task_group() as tasks:
                await tasks.start(self._saves.watch, folders)
                error = await self._until(ended, first)
                tasks.cancel_scope.cancel()
        if error is not None:
            raise error
        self._tell_end()
        return EXIT_CODES["cancelled"]

    async def _until(self, ended: anyio.Event, first: Drive) -> MCOError | None:
        """Run and wait in turn; an error is one that no save mends."""
        drive: Drive | None = first
        while not ended.is_set():
            if drive is not None:
                error = await self._once(drive, ended)
                if error is not None and drive is first and not isinstance(error, ScriptRefused):
                    return error
                if error is not None:
                    self._tell_failure(error)
            if ended.is_set():
                break
            if not self._consent.texts.changed():
                self._tell_waiting()
            changed = await _unless(ended, self._saves.change)
            drive = None if ended.is_set() else self._again(changed)
        return None

    def _again(self, changed: list[Path]) -> Drive | None:
        names = ", ".join(sorted(clean_line(path.name) for path in changed))
        tell(f"\n{names} was saved")
        try:
            with refusals_shown(self._order.script.name, self._order.output):
                return Drive.of(self._order, self._caller, self._consent)
        except MCOError as error:
            self._consent.texts.settle()
            self._tell_failure(error)
            return None

    async def _once(self, drive: Drive, ended: anyio.Event) -> MCOError | None:
        """One run to its end, or until the next save; what kept it from beginning."""
        stop = anyio.Event()
        ending: RunOutcome | MCOError | None = None
        saved = False

        async def stop_at_save() -> None:
            nonlocal saved
            await self._saves.change()
            saved = True
            stop.set()

        async def stop_at_end() -> None:
            await ended.wait()
            stop.set()

        with self._order.stage:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stop_at_save)
                tasks.start_soon(stop_at_end)
                try:
                    ending = await drive.follow(stop)
                except MCOError as error:
                    ending = error
                finally:
                    drive.worker.kill()
                tasks.cancel_scope.cancel()
            if ending is None or isinstance(ending, MCOError):
                return ending
            if saved and ending.status == "cancelled" and not ended.is_set():
                tell(f"run {ending.run_id} stopped for the new text; what it finished is reused")
                return None
            drive.close(ending)
        if ending.error is None:
            self._good = near(ending.folder, self._caller.folder)
        if not self._order.stage.silent and ending.error is None:
            tell(savings(drive.view))
        return None

    def _tell_of_reads(self, drive: Drive) -> None:
        path, places = drive.source.path, self._caller.places
        workspace = places.workspace.resolve()
        if path is not None and path.is_relative_to(workspace) and not path.is_relative_to(workspace / STATE):
            name = clean_line(path.name)
            tell(
                f"note: {name} is among the files of this workspace: a step that may read all of them runs at each"
            )
            tell("      save. Keep the script in .mco/workflows, or say with reads=[…] what a step reads")

    def _tell_failure(self, error: MCOError) -> None:
        tell(describe(error))
        if self._good is not None and not self._order.stage.silent:
            tell(f"the last good result is still in {self._good}")

    def _tell_end(self) -> None:
        name = clean_line(self._order.script.path.name)
        tell(f"\n{name} is no longer watched")  # a ^C may stand in this line

    def _tell_waiting(self) -> None:
        tell(f"watching {clean_line(self._order.script.path.name)}; Ctrl-C ends")


def savings(view: RunView) -> str:
    """`reused 5 of 6 steps, which saved 12k tokens · $0.10 · 34s`; what nobody knows is a dash."""
    counts = view.counts
    line = f"reused {counts.reused:,} of {count(counts.total, 'step')}"
    if not counts.reused:
        return line
    return (
        f"{line}, which saved {spending(view.saved, view.saved_unmeasured)} · {duration(view.saved_seconds)}"
    )


async def _unless(ended: anyio.Event, wait: Callable[[], Awaitable[list[Path]]]) -> list[Path]:
    """What `wait` gives, or nothing once `ended` is set."""
    given: list[Path] = []
    async with anyio.create_task_group() as tasks:

        async def give_up() -> None:
            await ended.wait()
            tasks.cancel_scope.cancel()

        tasks.start_soon(give_up)
        given = await wait()
        tasks.cancel_scope.cancel()
    return given
