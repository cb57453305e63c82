"""The policy of `match`: literals and builtin types. What it binds is plain text in the tree, and checked."""

# ruff: noqa: N802 - the names of the methods are those of the nodes

from __future__ import annotations

import ast

from engine.sandbox.policy_base import BasePolicy

_COMPARE = "compare in a guard: case x if x == …"
MATCHED_TYPES = frozenset({"str", "int", "float", "bool", "list", "dict", "tuple", "set", "frozenset"})


class MatchPolicy(BasePolicy):
    """One short method for each kind of pattern."""

    def visit_Match(self, node: ast.Match) -> ast.AST:
        """`match`."""
        return self.node_contents_visit(node)

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        """One `case`."""
        return self.node_contents_visit(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        """A literal; a dotted name would read attributes past the guard."""
        self._check_literal(node.value)
        return node

    def visit_MatchSingleton(self, node: ast.MatchSingleton) -> ast.AST:
        """None, True, False."""
        return node

    def visit_MatchSequence(self, node: ast.MatchSequence) -> ast.AST:
        """`[a, b]`."""
        return self.node_contents_visit(node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        """`{"a": b, **rest}`."""
        for key in node.keys:
            self._check_literal(key)
        self.check_name(node, node.rest)
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        """`str()`, `int(n)`: builtin types only, and no attributes, which are read past the guard."""
        name = node.cls.id if isinstance(node.cls, ast.Name) else ""
        if name not in MATCHED_TYPES or name in self.bound:
            own = f"call your own {name} something else"
            hint = own if name in MATCHED_TYPES else f"one of {', '.join(sorted(MATCHED_TYPES))}"
            self.refuse(node, "only builtin types can be matched", hint)
        if node.kwd_attrs or len(node.patterns) > 1:
            self.refuse(node, "attributes cannot be matched", "match the type, then look inside")
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        return node

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        """`*rest`: the name is plain text in the tree."""
        self.check_name(node, node.name)
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        """`pattern as name`: the name is plain text in the tree."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def visit_MatchOr(self, node: ast.MatchOr) -> ast.AST:
        """`a | b`."""
        return self.node_contents_visit(node)

    def _check_literal(self, node: ast.expr) -> None:
        inner = node.operand if isinstance(node, ast.UnaryOp) else node
        if isinstance(inner, ast.BinOp):
            self.refuse(node, "complex numbers cannot be matched", _COMPARE)
        elif not isinstance(inner, ast.Constant):
            self.refuse(node, "only literals can be matched here", _COMPARE)
