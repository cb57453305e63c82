"""The ground of the policy: how a refusal is said, and which names a script may use anywhere."""

from __future__ import annotations

import ast
from typing import Any

from RestrictedPython.transformer import RestrictingNodeTransformer, copy_locations

from engine.sandbox.problem import Problems
from engine.sandbox.refusals import REFUSED_NODES, WRITTEN_OUT, instead_of_name


class BasePolicy(RestrictingNodeTransformer):
    """Refuses every kind of node that neither a subclass nor RestrictedPython has a method for."""

    def __init__(self, problems: Problems) -> None:
        super().__init__()
        self._problems = problems
        self.bound: set[str] = set()
        """The names that the script binds itself, anywhere."""

    def visit(self, node: ast.AST) -> Any:
        """The node as it is compiled: itself, another, several, or None."""
        return super().visit(node)

    def node_contents_visit(self, node: Any) -> Any:
        """A node whose children were visited."""
        return super().node_contents_visit(node)

    def error(self, node: ast.AST, info: str) -> None:
        """What our base refuses by itself, in its words."""
        self._problems.at(node, info, WRITTEN_OUT)

    def warn(self, node: ast.AST, info: str) -> None:
        """Our base warns only of what `not_allowed` refuses as well."""

    def refuse(self, node: ast.AST, message: str, hint: str) -> None:
        """Refuse a node, in our words."""
        self._problems.at(node, message, hint)

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a kind of node."""
        name = type(node).__name__
        message, hint = REFUSED_NODES.get(name, (f"{name} is not available in workflow scripts", WRITTEN_OUT))
        self.refuse(node, message, hint)

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
        """Names that begin with an underscore belong to the sandbox and to Python; a lone `_` is free."""
        if name is not None and name.startswith("_") and name != "_":
            message = f"names that begin with an underscore are not available: {name}"
            self.refuse(node, message, instead_of_name(name))


def guarded(name: str, *arguments: ast.expr) -> ast.Call:
    """A call of a guard."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def placed(node: Any, old: Any) -> Any:
    """A new node, at the place of an old one."""
    copy_locations(node, old)
    return node
