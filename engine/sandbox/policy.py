"""Which syntax a script may use. Deny by default: a kind of node without a method here, or in our base, is refused.

What is only known at run time goes through a guard: the names that end in `_` here are bound in `guards`.
"""

# ruff: noqa: N802 - the names of the methods are those of the nodes

from __future__ import annotations

import ast
from typing import Any

from engine.sandbox.exact import exact_type
from engine.sandbox.policy_base import guarded, placed
from engine.sandbox.policy_imports import ImportPolicy
from engine.sandbox.policy_match import MatchPolicy
from engine.sandbox.refusals import REFUSED_NAMES, instead_of_attribute
from engine.sandbox.shape import elif_of

_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+=",
    ast.Sub: "-=",
    ast.Mult: "*=",
    ast.Div: "/=",
    ast.FloorDiv: "//=",
    ast.Mod: "%=",
    ast.Pow: "**=",
    ast.LShift: "<<=",
    ast.RShift: ">>=",
    ast.BitOr: "|=",
    ast.BitXor: "^=",
    ast.BitAnd: "&=",
    ast.MatMult: "@=",
}
_GUARDED_OPERATORS: dict[type[ast.operator], str] = {
    ast.Mult: "*",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.Mod: "%",
}


class Policy(MatchPolicy, ImportPolicy):
    """Checks one tree and rewrites it to its guarded form; says everything that is wrong to `problems`."""

    # Names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Names are checked; the few that people miss most are explained at once."""
        self.check_name(node, node.id)
        if isinstance(node.ctx, ast.Load) and node.id in REFUSED_NAMES:
            self._explain(node)
        return node

    def _explain(self, node: ast.Name) -> None:
        if node.id not in self.bound:
            self.refuse(node, f"{node.id} is not available in workflow scripts", REFUSED_NAMES[node.id])

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """The whole script."""
        self.bound = _bound_names(node)
        return self.node_contents_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        """`global`: its names are plain text in the tree."""
        for name in node.names:
            self.check_name(node, name)
            if name == "meta":
                self.refuse(node, "meta cannot be assigned again", "use another name")
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        """`nonlocal`: its names are plain text in the tree."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """`f(name=…)`."""
        self.check_name(node, node.arg)
        return self.node_contents_visit(node)

    # Attributes, items, operators

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`a.b` is read through a guard; it is never written or deleted."""
        if node.attr.startswith("_"):
            message = f"attributes that begin with an underscore are not available: .{node.attr}"
            self.refuse(node, message, instead_of_attribute(node.attr))
        if not isinstance(node.ctx, ast.Load):
            self.refuse(node, "attributes cannot be set or deleted", 'use a dict: value["name"] = …')
        value = self.visit(node.value)
        return placed(guarded("_getattr_", value, ast.Constant(node.attr)), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call; one with `**` goes through a guard, since its names are only known when it runs."""
        unpacks = any(keyword.arg is None for keyword in node.keywords)
        node = self.node_contents_visit(node)
        if unpacks:
            node.args.insert(0, node.func)
            node.func = placed(ast.Name("_apply_", ast.Load()), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`* ** << %` can blow up or format: they are bounded by a guard."""
        node = self.node_contents_visit(node)
        operator = _GUARDED_OPERATORS.get(type(node.op))
        if operator is None:
            return node
        return placed(guarded("_binop_", ast.Constant(operator), node.left, node.right), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """`a op= b`, and `d[k] op= b` with `d` and `k` evaluated once."""
        if isinstance(node.target, ast.Subscript):
            return self._augmented_item(node, node.target)
        target = self.visit(node.target)
        if not isinstance(node.target, ast.Name):
            return node
        value = self._in_place(node.op, ast.Name(node.target.id, ast.Load()), self.visit(node.value))
        return placed(ast.Assign([target], value), node)

    def _augmented_item(self, node: ast.AugAssign, target: ast.Subscript) -> list[ast.stmt]:
        container, key = self.gen_tmp_name(), self.gen_tmp_name()
        old = guarded("_getitem_", ast.Name(container, ast.Load()), ast.Name(key, ast.Load()))
        new = self._in_place(node.op, old, self.visit(node.value))
        place = ast.Subscript(
            guarded("_write_", ast.Name(container, ast.Load())), ast.Name(key, ast.Load()), ast.Store()
        )
        statements: list[ast.stmt] = [
            ast.Assign([ast.Name(container, ast.Store())], self.visit(target.value)),
            ast.Assign([ast.Name(key, ast.Store())], self.visit(target.slice)),
            ast.Assign([place], new),
        ]
        return [placed(statement, node) for statement in statements]

    def _in_place(self, operator: ast.operator, left: ast.expr, right: ast.expr) -> ast.expr:
        return guarded("_inplacevar_", ast.Constant(_SIGNS[type(operator)]), left, right)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """`f"{x:spec}"`: a spec goes through our formatting, which bounds its widths."""
        node = self.node_contents_visit(node)
        if node.format_spec is not None:
            value = _converted(node)
            call = placed(guarded("_format_", value, node.format_spec), node)
            return placed(ast.FormattedValue(call, -1, None), node)
        return node

    # Assignment and iteration: every value is of a builtin type, so unpacking needs no guard

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """`a = b = …`: the value is evaluated once."""
        return self.node_contents_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """`a: T = …` is `a = …`; the annotation is checked and dropped."""
        self.visit(node.annotation)
        target = self.visit(node.target)
        if node.value is None:
            return placed(ast.Pass(), node)
        return placed(ast.Assign([target], self.visit(node.value)), node)

    def visit_For(self, node: ast.For) -> ast.AST:
        """`for`."""
        return self.node_contents_visit(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """`async for`: only asynchronous generators can be iterated so."""
        return self.node_contents_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """The `for` of a comprehension, `async` or not."""
        return self.node_contents_visit(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        """`with`: of all that a script can hold only a budget is a context manager."""
        return self.node_contents_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """`except:` alone means `except Exception:`."""
        self.check_name(node, node.name)
        if node.type is None:
            node.type = placed(ast.Name("_Exception_", ast.Load()), node)
            node.body = self._statements(node.body)
            return node
        return self.node_contents_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        """`if` and its `elif`s, one after the other: in the tree each stands inside the one before."""
        link, following = node, elif_of(node)
        while True:
            link.test = self.visit(link.test)
            link.body = self._statements(link.body)
            if following is None:
                link.orelse = self._statements(link.orelse)
                return node
            link, following = following, elif_of(following)

    def _statements(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        return [made for each in statements for made in _listed(self.visit(each))]

    # Functions

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """`def`: names are checked, annotations are checked and dropped."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """`async def`, by the rules of `def`."""
        return self._function(node)

    def _function(self, node: Any) -> ast.AST:
        self.check_name(node, node.name)
        self.check_function_argument_names(node)
        if getattr(node, "type_params", None):
            self.refuse(node, "type parameters are not available in workflow scripts", "leave them out")
            node.type_params = []
        if node.returns is not None:
            self.visit(node.returns)
            node.returns = None
        return self.node_contents_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """One parameter, without its annotation: Python would run it."""
        if node.annotation is not None:
            self.visit(node.annotation)
            node.annotation = None
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """`await`, of coroutines only."""
        node.value = placed(guarded("_await_", self.visit(node.value)), node)
        return node

    # Refused, though our base allows it

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """No classes: every value has a builtin type, so no guard can be lied to."""
        self.not_allowed(node)
        return node

    def visit_TemplateStr(self, node: ast.AST) -> ast.AST:
        """Template strings: there is nothing here to render them."""
        self.not_allowed(node)
        return node


def _listed(visited: Any) -> list[Any]:
    kind = exact_type(visited)
    return visited if kind is list else [visited]


def _converted(node: ast.FormattedValue) -> ast.expr:
    """The value of a replacement field after its `!r`, `!s` or `!a`."""
    if node.conversion == -1:
        return node.value
    plain = placed(ast.FormattedValue(node.value, node.conversion, None), node)
    return placed(ast.JoinedStr([plain]), node)


def _bound_names(tree: ast.Module) -> set[str]:
    """Every name that the script binds itself, anywhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return names
