"""What runs inside the worker process: one script, from its text to its result, one run and then the end."""

from __future__ import annotations

import contextlib
import encodings.idna
import heapq
import os
import socket
import sys
import unicodedata
from collections.abc import Callable, Iterator
from types import CoroutineType, TracebackType
from typing import Any

from engine.sandbox.api import described, script_api
from engine.sandbox.budget import Budget, Ledger
from engine.sandbox.channel import Channel, HostGone
from engine.sandbox.exact import exact_type
from engine.sandbox.guards import GUARDS
from engine.sandbox.names import script_builtins
from engine.sandbox.problem import Problem, lines_of
from engine.sandbox.script import FILE, Script, compile_script
from engine.sandbox.shared_memory import Inbox, mapped_input
from engine.sandbox.trampoline import Trampoline
from engine.sandbox.values import NotJSON, json_value
from engine.sandbox.walls.limits import SOCKET
from engine.sandbox.walls.order import raise_walls

with contextlib.suppress(ImportError):  # Python 3.11 divides large numbers without it
    import _pylong  # pyright: ignore  # noqa: F401, PGH003 - it has no types

PRELOADED = (encodings.idna, heapq, unicodedata)
"""What the standard library imports only when it needs it: once the walls stand, nothing can be imported."""

TRACE_LINES = 20

_Advise = Callable[[str], list[Problem]]


def main(arguments: list[str]) -> None:
    """Serve one run. `arguments`: the socket's descriptor, the parent's id, and the limits, all whole numbers.

    One more of them asks for warnings.
    """
    descriptor, parent, memory_bytes, cpu_seconds, frame_bytes, calls_waiting, *asked = map(int, arguments)
    sys.unraisablehook = _ignore
    advise = _adviser() if asked else _no_advice
    channel = Channel(_connection(descriptor), frame_bytes, Inbox(mapped_input()))
    _forget_the_way_in()
    layers = raise_walls(memory_bytes, cpu_seconds, parent)
    try:
        channel.send({"kind": "ready", "layers": [layer._asdict() for layer in layers]})
        _serve(channel, calls_waiting, advise)
    except HostGone:
        pass
    os._exit(0)


def _ignore(_: object) -> None:
    """Nobody reads what Python says of an exception that nobody can catch."""


def _adviser() -> _Advise:
    from engine.sandbox.advice import advise  # 3 ms that a run has no need of

    return advise


def _no_advice(_: str) -> list[Problem]:
    return []


def _connection(descriptor: int) -> socket.socket:
    """The socket under a small number: `select` takes no large ones, and `poll` none once files are forbidden."""
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read())
    if descriptor != SOCKET:
        os.dup2(descriptor, SOCKET)
        os.close(descriptor)
        descriptor = SOCKET
    return socket.socket(fileno=descriptor)


def _forget_the_way_in() -> None:
    """From here on nothing more is imported from disk."""
    sys.path.clear()
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.argv.clear()


def _serve(channel: Channel, calls_waiting: int, advise: _Advise) -> None:
    """Load a script, and run it when the host says so."""
    load = channel.receive()[0]
    script = compile_script(load["source"])
    warnings = [warning._asdict() for warning in advise(load["source"])]
    if not isinstance(script, Script):
        problems = [problem._asdict() for problem in script]
        channel.send({"kind": "refused", "problems": problems, "warnings": warnings})
        channel.receive()
        return
    channel.send({"kind": "loaded", "meta": script.meta, "warnings": warnings})
    start = channel.receive()[0]
    channel.send(_finished(channel, script, start, calls_waiting, load["source"]))
    channel.receive()


def _finished(
    channel: Channel, script: Script, start: dict[str, Any], calls_waiting: int, source: str
) -> dict[str, Any]:
    """The last frame of a run: its result, or why there is none."""
    line = 0
    try:
        value = _run(channel, script, start, calls_waiting)
        return _result(value, channel.frame_bytes)
    except HostGone:
        raise
    except MemoryError as error:
        line = _last_line(error)
        error.__traceback__ = None
    except Exception as error:  # noqa: BLE001 - whatever a script raises is told
        return {"kind": "error", "error": _told(error, source)}
    # Only here, with the traceback gone and all the values that it held, there is memory to say so.
    return {"kind": "error", "error": {"type": "MemoryError", "message": "", "line": line, "trace": []}}


def _result(value: Any, frame_bytes: int) -> dict[str, Any]:
    try:
        return {"kind": "result", "value": json_value(value, "main() returned", frame_bytes)}
    except NotJSON as error:
        return {"kind": "error", "error": {"type": "result", "message": str(error), "line": 0, "trace": []}}


def _run(channel: Channel, script: Script, start: dict[str, Any], calls_waiting: int) -> Any:
    """Run the body of the script, then its main, on a trampoline."""

    def note(name: str, arguments: dict[str, Any]) -> None:
        channel.send({"kind": "note", "name": name, "arguments": arguments})

    def switch(scope: int) -> None:
        if trampoline.current is not None:
            trampoline.current.scope = scope

    ledger = Ledger(
        start["budget"]["tokens"],
        start["budget"]["cost"],
        current=lambda: trampoline.current.scope if trampoline.current is not None else 0,
        switch=switch,
        note=lambda arguments: note("budget", arguments),
    )
    trampoline = Trampoline(channel, calls_waiting, ledger.update)
    names = {
        "__builtins__": script_builtins(),
        "__name__": "workflow",
        **GUARDS,
        **script_api(note, Budget(ledger), channel.frame_bytes),
        "args": start["args"],
    }
    return trampoline.run(_whole(script, names, start["args"]))


async def _whole(script: Script, names: dict[str, Any], args: Any) -> Any:
    exec(script.code, names)  # noqa: S102 - the compiled, guarded code is what this process is for
    main: Callable[[Any], Any] = names["main"]
    coroutine: Any = main(args)
    kind = exact_type(coroutine)
    if kind is not CoroutineType:
        raise TypeError("main must be an async function, without yield")
    return await coroutine


def _told(error: Exception, source: str) -> dict[str, Any]:
    """An exception as the host shows it: its kind, its words, and the script's lines that led there."""
    trace = _trace(error, lines_of(source))
    if not trace and error.__cause__ is not None:
        trace = _trace(error.__cause__, lines_of(source))
    text = described(error).encode(errors="replace").decode()
    kind, _, message = text.partition(": ")
    line = trace[-1]["line"] if trace else 0
    return {"type": kind, "message": message, "line": line, "trace": trace[-TRACE_LINES:]}


def _script_steps(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILE:
            yield step
        step = step.tb_next


def _last_line(error: BaseException) -> int:
    line = 0
    for step in _script_steps(error):
        line = step.tb_lineno
    return line


def _trace(error: BaseException, lines: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "line": step.tb_lineno,
            "function": step.tb_frame.f_code.co_name,
            "source": _line(lines, step.tb_lineno),
        }
        for step in _script_steps(error)
    ]


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""
