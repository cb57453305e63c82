"""Runs a script's coroutines side by side in one thread, without asyncio: whoever waits, waits for the host."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from types import coroutine as operation_coroutine
from typing import Any, NamedTuple, Protocol

from engine.sandbox.failures import failure
from engine.sandbox.frames import WAITING_BYTES


class Host(Protocol):
    """The worker's end of the wire, as the trampoline needs it."""

    def send(self, frame: dict[str, Any]) -> int:
        """Put a frame in the batch; its size in bytes. ValueError when it is too large."""
        ...

    def wait(self, seen: int, *, alone: bool) -> list[dict[str, Any]]:
        """Say that the script waits, having seen so many replies; then the frames that came."""
        ...


class Outcome(NamedTuple):
    """How one of several coroutines ended: `error` is None when it returned `value`."""

    value: Any
    error: Exception | None


class Task:
    """One coroutine on its way. `scope` is the budget that it spends from; it passes on to what the task starts."""

    __slots__ = ("coroutine", "done", "scope")

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], scope: int, done: Callable[[Outcome], None]
    ) -> None:
        self.coroutine = coroutine
        self.scope = scope
        self.done = done


class Ask:
    """A coroutine asks the host for something, by name, and waits for the reply."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self.name = name
        self.arguments = arguments


class Together:
    """A coroutine starts others and waits for the outcomes of all of them."""

    __slots__ = ("coroutines",)

    def __init__(self, coroutines: Sequence[Coroutine[Any, Any, Any]]) -> None:
        self.coroutines = coroutines


@operation_coroutine
def suspend(operation: Ask | Together) -> Generator[Ask | Together, Any, Any]:
    """Hand an operation to the trampoline and wait for what comes of it."""
    return (yield operation)


class Trampoline:
    """Drives one main coroutine and everything that it starts. At most `calls_waiting` questions are out at a time."""

    def __init__(self, host: Host, calls_waiting: int, spent: Callable[[list[Any]], None]) -> None:
        self._host = host
        self._calls_waiting = calls_waiting
        self._spent = spent
        self._ready: deque[tuple[Task, Any, Exception | None]] = deque()
        self._asked: dict[int, tuple[Task, int]] = {}
        self._asked_bytes = 0
        self._queue: deque[tuple[Task, Ask]] = deque()
        self._next_id = 1
        self._seen = 0
        self._outcome: Outcome | None = None
        self.current: Task | None = None

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """The value of `main`, or the exception it ended with."""
        self._ready.append((Task(main, 0, self._end), None, None))
        while True:
            while self._ready:
                self._advance(*self._ready.popleft())
            if self._outcome is not None:
                break
            self._receive()
        if self._outcome.error is not None:
            raise self._outcome.error
        return self._outcome.value

    def _end(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def _advance(self, task: Task, value: Any, error: Exception | None) -> None:
        self.current = task
        try:
            coroutine = task.coroutine
            operation = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            task.done(Outcome(stop.value, None))
        except Exception as raised:  # noqa: BLE001 - whatever a script raises is its own outcome
            task.done(Outcome(None, raised))
        else:
            self._start(task, operation)

    def _start(self, task: Task, operation: Any) -> None:
        if type(operation) is Ask:
            self._ask(task, operation)
        elif type(operation) is Together:
            self._together(task, operation.coroutines)
        else:
            self._ready.append((task, None, TypeError("only what the script may await can be awaited")))

    def _ask(self, task: Task, ask: Ask) -> None:
        if not self._has_room():
            self._queue.append((task, ask))
            return
        number = self._next_id
        frame = {
            "kind": "call",
            "id": number,
            "name": ask.name,
            "arguments": ask.arguments,
            "scope": task.scope,
        }
        try:
            size = self._host.send(frame)
        except ValueError as too_large:
            self._ready.append((task, None, too_large))
            return
        self._next_id += 1
        self._asked[number] = (task, size)
        self._asked_bytes += size

    def _has_room(self) -> bool:
        return len(self._asked) < self._calls_waiting and self._asked_bytes < WAITING_BYTES

    def _together(self, task: Task, coroutines: Sequence[Coroutine[Any, Any, Any]]) -> None:
        outcomes: list[Any] = [None] * len(coroutines)
        left = len(coroutines)
        if not left:
            self._ready.append((task, outcomes, None))
            return

        def keep(index: int) -> Callable[[Outcome], None]:
            def done(outcome: Outcome) -> None:
                nonlocal left
                outcomes[index] = outcome
                left -= 1
                if not left:
                    self._ready.append((task, outcomes, None))

            return done

        for index, each in enumerate(coroutines):
            self._ready.append((Task(each, task.scope, keep(index)), None, None))

    def _receive(self) -> None:
        for frame in self._host.wait(self._seen, alone=len(self._asked) == 1):
            self._seen += 1
            self._spent(frame["spent"])
            task, size = self._asked.pop(frame["id"])
            self._asked_bytes -= size
            if frame["kind"] == "reply":
                self._ready.append((task, frame["value"], None))
            else:
                self._ready.append((task, None, failure(frame["error"])))
        while self._queue and self._has_room():
            self._ask(*self._queue.popleft())
