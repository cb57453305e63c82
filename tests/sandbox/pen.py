"""A process of its own that runs random scripts behind wall 1 and looks at every value that they come by.

Reads one JSON text a line from its input, the script; says one JSON object a line: the verdict, and what was found.
"""

from __future__ import annotations

import ast
import builtins
import json
import resource
import sys
import warnings
from types import CodeType, FrameType
from typing import Any

from engine.sandbox import api, script, values, worker
from engine.sandbox.facades import Facade
from engine.sandbox.policy import Policy
from engine.sandbox.problem import Problems
from tests.sandbox.inmates import Inmates

LINES = 3_000
"""How many lines of a script are run."""
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 4
_LOOKING = (api._arity, values._Copier._container, worker._whole)
OURS = frozenset(function.__code__ for function in _LOOKING)
"""What of ours the interpreter tells of while a script runs: it runs it, and looks inside what it is given."""
HARMLESS = frozenset({"sys.unraisablehook", "sys.settrace"})


class Stopped(BaseException):
    """The script ran for long enough. Not one that a script can catch."""


class Seeing(ast.NodeTransformer):
    """Shows the value of every name and every call to `_see_`; what the policy guards is a call as well."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """One call. The policy's own guards are called by names that no script can write."""
        if not (isinstance(node.func, ast.Name) and node.func.id in worker.GUARDS):
            node.func = self.visit(node.func)
        node.args = [self.visit(each) for each in node.args]
        node.keywords = [self.visit(each) for each in node.keywords]
        return _shown(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """One name that is read."""
        return _shown(node) if isinstance(node.ctx, ast.Load) else node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        """The type in a pattern stays a plain name."""
        node.patterns = [self.visit(each) for each in node.patterns]
        return node


def _shown(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("_see_", ast.Load()), [node], [])


class Wire:
    """A host that answers everything at once, in place of the socket."""

    frame_bytes = 64 * 1024

    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []

    def send(self, frame: dict[str, Any]) -> None:
        """Keep a call; what the script says goes nowhere, as long as it could be sent."""
        json.dumps(frame)
        if frame["kind"] == "call":
            self._calls.append(frame)

    def wait(self, seen: int, *, alone: bool) -> list[dict[str, Any]]:
        """The answers to all calls."""
        calls, self._calls = self._calls, []
        return [
            {"kind": "reply", "id": call["id"], "value": "echo", "spent": [[0, 1, None]]} for call in calls
        ]


class Pen:
    """Runs one script after the other."""

    def __init__(self) -> None:
        self._armed = False
        self._found: list[str] = []
        self._lines = 0
        self._inmates = Inmates()
        sys.addaudithook(self._audit)
        names = dict(worker.GUARDS)
        worker.GUARDS.clear()
        worker.GUARDS.update({**names, "_see_": self._see})

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._armed and event not in HARMLESS:
            self._armed = False
            if sys._getframe(1).f_code not in OURS:
                self._found.append(f"the interpreter was asked for {event} {arguments[1:]}")
            self._armed = True

    def _see(self, value: Any) -> Any:
        self._armed, before = False, self._armed
        if reason := self._inmates.stranger(value):
            self._found.append(reason)
        self._armed = before
        return value

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._armed, before = False, self._armed
        is_script = frame.f_code.co_filename == script.FILE
        self._armed = before
        self._lines += is_script
        if self._lines > LINES:
            raise Stopped
        return self._trace if is_script else None

    def run(self, source: str) -> dict[str, Any]:
        """The verdict over one script: refused, ran, raised or stopped; and what it came by that it should not."""
        self._found = []
        compiled = script.compile_script(source)
        if not isinstance(compiled, script.Script):
            return {"verdict": "refused", "found": []}
        return {"verdict": self._run(compiled), "found": self._found[:5]}

    def _run(self, compiled: script.Script) -> str:
        start = {"args": {"a": [1]}, "budget": {"tokens": 100, "cost": None}}
        self._lines = 0
        wire: Any = Wire()
        sys.settrace(self._trace)
        self._armed = True
        try:
            result = worker._run(wire, compiled, start, 64)
        except Stopped:
            return "stopped"
        except Exception:  # noqa: BLE001 - whatever a script raises
            return "raised"
        finally:
            self._armed = False
            sys.settrace(None)
        self._see(result)
        self._armed = False
        return "ran"


def seeing(source: str | ast.Module, problems: Problems) -> CodeType | None:
    """In place of the compiler of scripts: the same, with eyes. What is refused comes as text."""
    return _compile(Seeing().visit(source) if isinstance(source, ast.Module) else source, problems)


_compile = script._compile


def _whatever_there_is(self: Facade, name: str) -> Any:
    return getattr(type(self), name, None) or self._members[name]


def _any_name(self: Policy, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
    pass


def leave_open(hole: str) -> None:
    """Weaken one guard, so that a test can see that what comes of it is noticed."""
    if hole == "attributes":
        worker.GUARDS["_getattr_"] = getattr
    elif hole == "facades":
        Facade.__getattr__ = _whatever_there_is
    elif hole == "names":
        Policy.check_name = _any_name


def main(hole: str = "") -> None:
    """Serve until the input ends."""
    leave_open(hole)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    builtins.open = None  # pyright: ignore[reportAttributeAccessIssue] - nothing here may want it again
    script._compile = seeing
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    pen = Pen()
    for line in sys.stdin:
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        sys.stdout.write(json.dumps(pen.run(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
