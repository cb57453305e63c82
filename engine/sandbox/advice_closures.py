"""Functions made in the rounds of a loop, which all see the variable of its last round."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from engine.sandbox.outline import FUNCTIONS, Advice, Outline, inside

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


def advise_closures(outline: Outline) -> Iterator[Advice]:
    """Lambdas that are collected by a loop and read its variable, which they do when the loop is over."""
    for node in outline.nodes:
        if not isinstance(node, ast.Lambda):
            continue
        shared = _variables(outline, node) & _free_names(node)
        if shared:
            name = min(shared)
            message = f"each of these functions sees the last {name}: they run after the loop"
            yield Advice(node, message, f"bind it where the function is made: lambda {name}={name}: …")


def _free_names(function: ast.Lambda) -> set[str]:
    """The names that the body reads and that are not the function's own."""
    arguments = function.args
    own = {each.arg for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    own |= {each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None}
    below = [function.body, *inside(function.body, functions=True)]
    names = [node for node in below if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    inner = {node.arg for node in below if isinstance(node, ast.arg)}
    return {node.id for node in names} - own - bound - inner


def _variables(outline: Outline, function: ast.Lambda) -> set[str]:
    """The variables of the loop that collects a function; none where it may be called in the same round."""
    above = outline.parent(function)
    if isinstance(above, _COMPREHENSIONS) and above.elt is function:
        if isinstance(above, ast.GeneratorExp) and not _goes_to_parallel(outline, above):
            return set()
        return {name for each in above.generators for name in _targets(each.target)}
    if isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute) and above.func.attr == "append":
        return _loop_variables(outline, above)
    return set()


def _goes_to_parallel(outline: Outline, generator: ast.GeneratorExp) -> bool:
    around = outline.parent(generator)
    return around is not None and outline.called(around) == "parallel" and outline.is_given("parallel")


def _loop_variables(outline: Outline, node: ast.AST) -> set[str]:
    """The variables of the `for` around a node, in the same function."""
    for around in outline.ancestors(node):
        if isinstance(around, ast.For | ast.AsyncFor):
            return _targets(around.target)
        if isinstance(around, FUNCTIONS):
            break
    return set()


def _targets(target: ast.expr) -> set[str]:
    nodes = [target, *inside(target, functions=False)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
