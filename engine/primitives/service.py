"""What a script's frames ask for, done: `agent` becomes a step, `workflow` a script inside, notes become events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from engine.dispatch.scheduler import Scheduler
from engine.dispatch.wording import sentence
from engine.errors import CeilingReached, MCOError, NoProviderReady, StepFailed
from engine.primitives.arguments import ArgumentsWrong, read_arguments
from engine.primitives.scopes import ScopeNumbers
from engine.primitives.selection import Selection
from engine.record.events import BudgetReached, Logged, PhaseStarted
from engine.record.stream import Stream
from engine.sandbox.host import Call, Note, Worker
from engine.sandbox.inbound import TITLE
from engine.sandbox.spending import Spending
from engine.step import Answer, Step
from engine.text import clean_block, clean_line

LABEL = 60
MESSAGE = 2_000
FIELDS = 50


class Nested(Protocol):
    """Runs another workflow inside this run; `finished` hears its result or the MCOError that ended it."""

    def __call__(self, name: str, args: Any, scope: int, finished: Callable[[Any], None]) -> None:
        """Start it; never blocks."""
        ...


class LogAllowance:
    """How many log lines and phases one run may still write, and how often the worker had to warn."""

    def __init__(self, lines: int, stream: Stream) -> None:
        self._limit = lines
        self._written = 0
        self._stream = stream
        self.lost_items = 0
        """Items of `parallel` and `pipeline` that came to nothing: the script went on without them."""

    def take(self) -> bool:
        """Whether one more may be written; the first that may not is told."""
        self._written += 1
        if self._written == self._limit + 1:
            self._stream.emit(
                BudgetReached, scope="run", unit="log_lines", limit=self._limit, spent=self._written
            )
        return self._written <= self._limit


class Primitives:
    """Serves the frames of one worker. Scripts inside scripts have their own, over the same scheduler."""

    def __init__(
        self,
        *,
        worker: Worker,
        scheduler: Scheduler,
        selection: Selection,
        stream: Stream,
        allowance: LogAllowance,
        nested: Nested,
        scopes: ScopeNumbers,
    ) -> None:
        self._worker = worker
        self._scheduler = scheduler
        self._selection = selection
        self._stream = stream
        self._allowance = allowance
        self._nested = nested
        self._scopes = scopes
        self._phase = ""

    def handle(self, frame: Call | Note) -> None:
        """Serve one frame; replies follow when they are there. Never blocks."""
        if isinstance(frame, Note):
            self._note(frame)
        elif frame.name == "agent":
            self._agent(frame)
        else:
            self._workflow(frame)

    def _agent(self, call: Call) -> None:
        try:
            step = self._step(call.arguments)
        except ArgumentsWrong as error:
            self._worker.fail(call, "ValueError", str(error), spent=self._scopes.spent(call.scope))
        except (StepFailed, NoProviderReady) as failure:
            self._refuse(call, failure)
        else:
            self._scheduler.submit(
                step, self._scopes.ours(call.scope), lambda outcome: self._tell(call, outcome)
            )

    def _step(self, given: dict[str, Any]) -> Step:
        arguments = read_arguments(given["prompt"], given["options"])
        choices = self._selection.choose(arguments)
        return Step(
            prompt=arguments.prompt,
            label=_label(arguments.label, arguments.prompt),
            phase=self._phase if arguments.phase is None else clean_line(arguments.phase, TITLE),
            schema=arguments.output,
            model=arguments.model,
            effort=arguments.effort,
            agent_type=arguments.agent_type,
            providers=choices,
            strategy=arguments.strategy or "failover",
            capabilities=tuple(arguments.capabilities),
            task=arguments.task,
            access=arguments.access,
            reads=None if arguments.reads is None else tuple(arguments.reads),
            isolation=arguments.isolation,
            on_resume=arguments.on_resume,
            timeout=arguments.timeout,
            stall_timeout=arguments.stall_timeout,
            retries=arguments.retries,
            max_tool_calls=arguments.max_tool_calls,
            cache=arguments.cache,
        )

    def _refuse(self, call: Call, failure: StepFailed | NoProviderReady) -> None:
        """A step that nobody can take is a step of the run all the same: it is queued and fails in the record."""
        prompt, options = call.arguments["prompt"], call.arguments["options"]
        self._scheduler.refuse(
            label=_label(options.get("label"), prompt),
            phase=clean_line(options.get("phase") or self._phase, TITLE),
            prompt=prompt,
            failure=failure if isinstance(failure, StepFailed) else StepFailed("not_found", str(failure)),
        )
        self._tell(call, failure)

    def _tell(self, call: Call, outcome: Answer | MCOError) -> None:
        spent = self._scopes.spent(call.scope)
        match outcome:
            case Answer():
                self._reply(call, outcome.value, spent)
            case CeilingReached():
                kind = "BudgetExceeded" if outcome.kind == "budget" else "LimitExceeded"
                self._worker.fail(call, kind, sentence(outcome), spent=spent)
            case StepFailed():
                self._worker.fail(
                    call,
                    "AgentError",
                    sentence(outcome),
                    reason=outcome.reason,
                    provider=outcome.provider,
                    spent=spent,
                )
            case _:
                self._worker.fail(call, "AgentError", sentence(outcome), reason="not_found", spent=spent)

    def _reply(self, call: Call, value: Any, spent: Spending) -> None:
        try:
            self._worker.reply(call, value, spent)
        except ValueError as error:  # a kept answer that somebody else has put there
            message = f"the answer is not JSON: {error}"
            self._worker.fail(call, "AgentError", message, reason="bad_output", spent=spent)

    def _workflow(self, call: Call) -> None:
        def finished(outcome: Any) -> None:
            if isinstance(outcome, CeilingReached):
                self._tell(call, outcome)
            elif isinstance(outcome, MCOError):
                self._worker.fail(call, "ValueError", sentence(outcome), spent=self._scopes.spent(call.scope))
            else:
                self._worker.reply(call, outcome, self._scopes.spent(call.scope))

        scope = self._scopes.ours(call.scope)
        self._nested(call.arguments["name"], call.arguments["args"], scope, finished)

    def _note(self, note: Note) -> None:
        match note.name:
            case "phase":
                self._enter_phase(note.arguments["title"])
            case "log":
                self._log(note.arguments)
            case "budget":
                self._scopes.note(note.arguments)

    def _enter_phase(self, title: str) -> None:
        self._phase = clean_line(title, TITLE)
        if self._allowance.take():
            self._stream.emit(PhaseStarted, title=self._phase)

    def _log(self, arguments: dict[str, Any]) -> None:
        # Only the worker itself warns, of an item that failed; a script's own lines have no level.
        if arguments.get("level") == "warning":
            self._allowance.lost_items += 1
        if not self._allowance.take():
            return
        kept = list(arguments["fields"].items())[:FIELDS]
        self._stream.emit(
            Logged,
            message=clean_block(arguments["message"], MESSAGE),
            fields={clean_line(name, 60): _bounded(value) for name, value in kept},
            level=arguments["level"],
        )


def _label(given: str | None, prompt: str) -> str:
    """What people call a step: its label, else the first line of its prompt."""
    return clean_line(given or prompt.lstrip()[: 2 * LABEL].partition("\n")[0], LABEL)


def _bounded(value: Any) -> Any:
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return clean_line(str(value), 500)
