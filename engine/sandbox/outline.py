"""The tree of a script as the advice reads it: what stands where, which names it binds, which functions it has."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

API = frozenset({"agent", "parallel", "pipeline", "workflow", "phase", "log", "print", "budget", "args"})
"""The names that a script is given."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_WITHOUT_PLACE = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)


class Advice(NamedTuple):
    """One thing that will not work as meant, and the way out."""

    node: ast.AST
    message: str
    hint: str


class Outline:
    """One walk over a script, without recursion. Annotations are left out, as they are when the script runs."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes: list[ast.AST] = []
        """In the order of the text."""
        self.bound: Counter[str] = Counter()
        """How often each name is bound, wherever that is: what is bound once means the same everywhere."""
        self.read: set[str] = set()
        self.assigned: dict[str, ast.expr] = {}
        """What a statement `name = …` assigns."""
        self.calls: dict[ast.AST, list[ast.Call]] = {}
        """The calls by a plain name in each function, without those in functions inside it."""
        self.generators: set[ast.AST] = set()
        """The functions with a `yield` of their own."""
        self._parents: dict[ast.AST, ast.AST] = {}
        self._functions: dict[str, Function] = {}
        self._imports: dict[str, str] = {}
        self._walk(tree)

    def _walk(self, tree: ast.Module) -> None:
        waiting: list[ast.AST] = [tree]
        while waiting:
            node = waiting.pop()
            self.nodes.append(node)
            self._note(node)
            children = list(_children(node))
            self._parents.update(dict.fromkeys(children, node))
            waiting.extend(reversed(children))

    def _note(self, node: ast.AST) -> None:
        self.bound.update(_bindings(node))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self.read.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._functions[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            self._imports.update({each.asname or each.name: module + each.name for each in node.names})
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            self.assigned.update(dict.fromkeys(names, node.value))
        elif isinstance(node, ast.Yield | ast.YieldFrom) and (function := self.function_of(node)):
            self.generators.add(function)
        elif isinstance(node, ast.Call) and self.called(node) and (function := self.function_of(node)):
            self.calls.setdefault(function, []).append(node)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """What a node is a part of."""
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node is a part of, from the inside out."""
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def function_of(self, node: ast.AST) -> ast.AST | None:
        """The innermost function or lambda around a node; None at the top level."""
        return next((above for above in self.ancestors(node) if isinstance(above, FUNCTIONS)), None)

    def is_given(self, name: str) -> bool:
        """Whether a name is the API's, and the script never binds it itself."""
        return name in API and name not in self.bound

    def function(self, name: str) -> Function | None:
        """The function that a name always means, or None."""
        return self._functions.get(name) if self.bound[name] == 1 else None

    def called(self, node: ast.AST | None) -> str:
        """The plain name that a call calls; empty for all else."""
        return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""

    def member(self, node: ast.AST) -> str:
        """What of a module an expression means, such as `itertools.count`; empty for all else."""
        if isinstance(node, ast.Name):
            return self._imports.get(node.id, "") if self.bound[node.id] == 1 else ""
        if isinstance(node, ast.Attribute) and (module := self.member(node.value)):
            return f"{module}.{node.attr}"
        return ""


def inside(node: ast.AST, *, functions: bool) -> Iterator[ast.AST]:
    """The nodes below a node, in any order; those in functions and lambdas below it only where asked for."""
    waiting = list(_children(node))
    while waiting:
        below = waiting.pop()
        yield below
        if functions or not isinstance(below, FUNCTIONS):
            waiting.extend(_children(below))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    annotations = (getattr(node, "annotation", None), getattr(node, "returns", None))
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _WITHOUT_PLACE) and child not in annotations:
            yield child


def _bindings(node: ast.AST) -> list[str]:
    """The names that a node binds by itself."""
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, ast.Store) else []
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        return [node.asname or node.name.partition(".")[0]]
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    named = isinstance(node, (*_NAMED, ast.MatchAs, ast.MatchStar, ast.ExceptHandler))
    name = getattr(node, "name", None) if named or type(node).__name__ in _TYPE_PARAMETERS else None
    return [name] if name else []


_TYPE_PARAMETERS = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple"})
"""By name: Python 3.11 has none. They are refused, but not unknown."""
