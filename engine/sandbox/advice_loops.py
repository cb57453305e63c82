"""Loops that ask agents and have no end of their own: only a ceiling would stop them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from engine.sandbox.outline import FUNCTIONS, Advice, Outline, inside

_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_LEAVES = (ast.Return, ast.Raise, ast.Assert, ast.Yield, ast.YieldFrom)
_ASKING = ("agent", "workflow")
_MESSAGE = "this loop asks agents and has no end: only a ceiling stops it"
_HINT = "count the rounds: for round in range(10): …, or leave it with break"


def advise_bound(outline: Outline) -> Iterator[Advice]:
    """`while True` and of loops over itertools.count, cycle and repeat, around agent() or workflow()."""
    asking = _asking(outline)
    for node in outline.nodes:
        if isinstance(node, ast.While | ast.For | ast.AsyncFor):
            endless = _always(node.test) if isinstance(node, ast.While) else _endless(node.iter, outline)
            if endless and _asks(node, asking) and not _ends(node, outline):
                yield Advice(node, _MESSAGE, _HINT)
        elif isinstance(node, ast.comprehension) and _endless(node.iter, outline):
            around = outline.parent(node)
            if around is not None and not isinstance(around, ast.GeneratorExp) and _asks(around, asking):
                yield Advice(node.iter, _MESSAGE, "count the rounds: for round in range(10)")


def _asking(outline: Outline) -> set[str]:
    """The names that lead to a step: those of the API, and functions that read one of them, however far away."""
    asking = {name for name in _ASKING if outline.is_given(name)}
    readers: dict[str, set[str]] = {}
    for name in outline.bound:
        function = outline.function(name)
        if function is not None:
            for read in _read_in(function):
                readers.setdefault(read, set()).add(name)
    waiting = list(asking)
    while waiting:
        reached = readers.get(waiting.pop(), set()) - asking
        asking |= reached
        waiting.extend(reached)
    return asking


def _read_in(node: ast.AST) -> set[str]:
    return {below.id for below in inside(node, functions=True) if isinstance(below, ast.Name)}


def _asks(node: ast.AST, asking: set[str]) -> bool:
    return not asking.isdisjoint(_read_in(node))


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _endless(iterated: ast.expr, outline: Outline) -> bool:
    if not isinstance(iterated, ast.Call):
        return False
    name = outline.member(iterated.func)
    once = len(iterated.args) == 1 and not iterated.keywords
    return name in ("itertools.count", "itertools.cycle") or (name == "itertools.repeat" and once)


def _ends(loop: ast.While | ast.For | ast.AsyncFor, outline: Outline) -> bool:
    """Whether something in or around a loop may end it, as far as one can see."""
    return _leaves(loop) or "budget" in _read_in(loop) or _is_caught(loop, outline)


def _leaves(loop: ast.While | ast.For | ast.AsyncFor) -> bool:
    waiting: list[tuple[ast.AST, bool]] = [(node, True) for node in loop.body]
    while waiting:
        node, ours = waiting.pop()
        if isinstance(node, _LEAVES) or (ours and isinstance(node, ast.Break)):
            return True
        if isinstance(node, FUNCTIONS):
            continue
        body: set[ast.AST] = set(node.body) if isinstance(node, _LOOPS) else set()
        waiting.extend((below, ours and below not in body) for below in ast.iter_child_nodes(node))
    return False


def _is_caught(loop: ast.AST, outline: Outline) -> bool:
    """Inside `try … except` or `with budget(…)` an exception is how the loop is meant to end."""
    for above in outline.ancestors(loop):
        if isinstance(above, FUNCTIONS):
            return False
        if isinstance(above, ast.Try) and above.handlers:
            return True
        if isinstance(above, ast.With) and any(
            outline.called(item.context_expr) == "budget" for item in above.items
        ):
            return True
    return False
