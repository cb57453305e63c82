"""What is given to parallel() and pipeline(): things that run at the same time, and were not run before."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from engine.sandbox.advice_coroutines import coroutine_of
from engine.sandbox.outline import Advice, Outline

_SIDE_BY_SIDE = ("parallel", "pipeline")
_DISPLAYS = (ast.List, ast.Tuple, ast.Set)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)
_ANSWERS = ("agent", "parallel", "pipeline", "workflow")


def advise_parallel(outline: Outline) -> Iterator[Advice]:
    """phase() where phases overlap, and items of parallel() that are nothing to run."""
    looked_at: set[ast.AST] = set()
    for node in outline.nodes:
        name = outline.called(node)
        if isinstance(node, ast.Call) and name in _SIDE_BY_SIDE and outline.is_given(name):
            yield from _phases(outline, node, looked_at)
            if name == "parallel":
                yield from _items(outline, node)


def _items(outline: Outline, call: ast.Call) -> Iterator[Advice]:
    if len(call.args) > 1 or any(isinstance(each, ast.Starred) for each in call.args):
        yield Advice(call, "parallel() takes one list", "write parallel([…])")
    for item in _given(outline, call):
        if isinstance(item, ast.Await) and outline.called(item.value) in _ANSWERS:
            message = "this is awaited before parallel() gets it: one after the other"
            yield Advice(item, message, "leave out await: parallel() runs the items itself")


def _phases(outline: Outline, together: ast.Call, looked_at: set[ast.AST]) -> Iterator[Advice]:
    """The calls of phase() in what is run, and in the script's functions that it calls; each function once."""
    name = outline.called(together)
    waiting = [_started(outline, given) for given in _given(outline, together)]
    while waiting and outline.is_given("phase"):
        function = waiting.pop()
        if function is None or function in looked_at:
            continue
        looked_at.add(function)
        for call in outline.calls.get(function, []):
            if outline.called(call) == "phase":
                message = f"phase() in what {name}() runs (line {together.lineno}): its items overlap"
                yield Advice(call, message, 'give the step its phase instead: agent(…, phase="…")')
            waiting.append(outline.function(outline.called(call)))


def _started(outline: Outline, given: ast.expr) -> ast.AST | None:
    """The function that runs when an item does: a lambda, a function by its name, or an async one that was called."""
    if isinstance(given, ast.Lambda):
        return given
    return outline.function(given.id if isinstance(given, ast.Name) else coroutine_of(outline, given))


def _given(outline: Outline, call: ast.Call) -> Iterator[ast.expr]:
    """The items of parallel(), the stages of pipeline(); for a variable that is bound once, what is in it."""
    for argument in call.args[:1] if outline.called(call) == "parallel" else call.args[1:]:
        value = argument
        if isinstance(value, ast.Name) and outline.bound[value.id] == 1:
            value = outline.assigned.get(value.id, value)
        if isinstance(value, _DISPLAYS):
            yield from value.elts
        elif isinstance(value, _COMPREHENSIONS):
            yield value.elt
        else:
            yield value
