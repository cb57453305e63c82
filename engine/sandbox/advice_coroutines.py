"""Coroutines that nobody awaits: what agent() and its kin give does nothing, and holds nothing, until then."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from engine.sandbox.outline import Advice, Outline

_COROUTINES = ("agent", "parallel", "pipeline", "workflow")
_AT_ONCE = ("phase", "log", "print")
_SAYING = frozenset({"agent", "workflow", "phase", "log", "print"})
_TEXT = frozenset({"str", "repr", "ascii", "format", "int", "float", "sum"})
_ITEMS = frozenset({"all", "any", "enumerate", "iter", "len", "max", "min", "next", "reversed", "sorted"})
_KINDS = frozenset({"bool", "dict", "frozenset", "list", "set", "tuple"})
_WITH_MANY = _SAYING | _TEXT
"""What can do nothing with a list of coroutines."""
_WITH_ONE = _WITH_MANY | _ITEMS | _KINDS
"""What can do nothing with a coroutine."""
_DISPLAYS = (ast.List, ast.Tuple, ast.Set)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


class _Use(NamedTuple):
    """Where the value of a coroutine call goes: the expression that holds it, and what that is a part of."""

    value: ast.expr
    above: ast.AST | None
    many: bool
    """Whether it is inside a list or the like."""


def advise_await(outline: Outline) -> Iterator[Advice]:
    """Coroutines that are certainly not awaited, and of `await` where there is nothing to wait for."""
    for node in outline.nodes:
        if isinstance(node, ast.Call) and (name := coroutine_of(outline, node)):
            yield from _call(outline, node, name)
        elif isinstance(node, ast.Await):
            name = outline.called(node.value)
            if name in _AT_ONCE and outline.is_given(name):
                yield Advice(node, f"{name}() gives nothing to wait for", f"write {name}(…) without await")


def coroutine_of(outline: Outline, call: ast.AST) -> str:
    """The name of what a call calls when that gives a coroutine: of the API, or an async function of the script."""
    name = outline.called(call)
    if name in _COROUTINES:
        return name if outline.is_given(name) else ""
    function = outline.function(name)
    if not isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
        return ""
    return "" if function in outline.generators else name


def _call(outline: Outline, call: ast.Call, name: str) -> Iterator[Advice]:
    use = _use(outline, call)
    place = use.value if use.many else call
    if use.many and isinstance(use.above, ast.Await):
        yield Advice(use.above, "await takes one coroutine, not several", "write await parallel([…])")
    elif _is_dropped(outline, use):
        message = f"{name}() is never awaited, so it does nothing"
        yield Advice(place, message, _hint(outline, call, name, use))
    elif _is_misused(outline, use):
        message = f"{name}() is not awaited here: this is a coroutine, not what it gives"
        yield Advice(place, message, _hint(outline, call, name, use))


def _use(outline: Outline, call: ast.Call) -> _Use:
    """Climb out of the lists and conditions that a call stands in."""
    value: ast.expr = call
    above, many = outline.parent(call), False
    while above is not None:
        if isinstance(above, ast.IfExp) and above.test is not value:
            value = above
        elif isinstance(above, ast.expr) and _holds(above, value):
            value, many = above, True
        else:
            break
        above = outline.parent(value)
    return _Use(value, above, many)


def _holds(above: ast.expr, value: ast.expr) -> bool:
    if isinstance(above, _DISPLAYS):
        return True
    if isinstance(above, _COMPREHENSIONS):
        return above.elt is value
    if isinstance(above, ast.DictComp):
        return above.value is value
    return isinstance(above, ast.Dict)


def _is_dropped(outline: Outline, use: _Use) -> bool:
    """A statement of its own, or in a variable that nothing ever reads."""
    above = use.above
    if isinstance(above, ast.Expr):
        return True
    if isinstance(above, ast.Assign):
        targets = above.targets
    elif isinstance(above, ast.AnnAssign):
        targets = [above.target]
    else:
        return False
    return all(isinstance(target, ast.Name) and target.id not in outline.read for target in targets)


def _is_misused(outline: Outline, use: _Use) -> bool:
    if _is_shown(outline, use):
        return True
    if isinstance(use.above, ast.Return):
        return _is_main(outline, use.above)
    return not use.many and _is_taken_apart(use)


def _is_shown(outline: Outline, use: _Use) -> bool:
    """In an f-string, or given to something that can do nothing with it."""
    above = use.above
    if isinstance(above, ast.keyword):
        above = outline.parent(above)
    if not isinstance(above, ast.Call) or above.func is use.value:
        return isinstance(above, ast.FormattedValue)
    name = outline.called(above)
    if name in (_WITH_MANY if use.many else _WITH_ONE):
        return name not in outline.bound
    if isinstance(above.func, ast.Attribute) and isinstance(above.func.value, ast.Constant):
        return above.func.attr == "join" and type(above.func.value.value) is str
    return outline.member(above.func) in ("json.dumps", "json.loads")


def _is_taken_apart(use: _Use) -> bool:
    """Used as if it were the answer itself: its items, its attributes, its truth, its sum with something."""
    value, above = use.value, use.above
    if isinstance(above, ast.Subscript | ast.Attribute):
        return above.value is value
    if isinstance(above, ast.For | ast.AsyncFor):
        return above.iter is value
    if isinstance(above, ast.If | ast.While | ast.IfExp | ast.Assert):
        return above.test is value
    if isinstance(above, ast.Assign):
        return any(isinstance(target, ast.Tuple | ast.List) for target in above.targets)
    return isinstance(
        above, ast.comprehension | ast.BinOp | ast.UnaryOp | ast.Compare | ast.AugAssign | ast.Starred
    )


def _is_main(outline: Outline, statement: ast.Return) -> bool:
    function = outline.function_of(statement)
    at_top = function is not None and isinstance(outline.parent(function), ast.Module)
    return at_top and isinstance(function, ast.AsyncFunctionDef) and function.name == "main"


def _hint(outline: Outline, call: ast.Call, name: str, use: _Use) -> str:
    awaited = f"await {name}(…)"
    if use.many:
        awaited = "await parallel([…])"
    elif isinstance(use.above, ast.Subscript | ast.Attribute):
        awaited = f"(await {name}(…)){'[…]' if isinstance(use.above, ast.Subscript) else '.…'}"
    function = outline.function_of(call)
    if isinstance(function, ast.AsyncFunctionDef):
        return f"write {awaited}"
    if function is None:
        return f"do it in main: {awaited}"
    kind = (
        "a lambda cannot await" if isinstance(function, ast.Lambda) else "the function must be async to await"
    )
    return f"{kind}: write an async def with {awaited}"
