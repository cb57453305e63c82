"""The policy of `import`: the allowed modules, and the names that they have here."""

# ruff: noqa: N802 - the names of the methods are those of the nodes

from __future__ import annotations

import ast

from engine.sandbox.facades import MODULES
from engine.sandbox.policy_base import BasePolicy, placed
from engine.sandbox.refusals import REFUSED_MODULES

_IMPORT_HINT = f"these can be imported: {', '.join(sorted(MODULES))}"


class ImportPolicy(BasePolicy):
    """`import` and `from … import`."""

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """`import json`, of the allowed modules."""
        for alias in node.names:
            self._check_module(node, alias.name)
            self.check_name(node, alias.asname)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """`from json import loads`; `from __future__ import annotations` changes nothing here and is dropped."""
        if _is_future_annotations(node):
            return placed(ast.Pass(), node)
        if node.level or node.module is None:
            hint = "a script is one file: run another with workflow(name, args)"
            self.refuse(node, "relative imports are not available in workflow scripts", hint)
        elif self._check_module(node, node.module):
            self._check_members(node, node.module)
        for alias in node.names:
            self.check_name(node, alias.asname)
        return node

    def _check_module(self, node: ast.stmt, name: str) -> bool:
        if name not in MODULES:
            self.refuse(node, f"the module {name} cannot be imported in workflow scripts", _hint(name))
        return name in MODULES

    def _check_members(self, node: ast.ImportFrom, module: str) -> None:
        names = list(MODULES[module])
        for alias in node.names:
            if alias.name not in names:
                what = "everything at once" if alias.name == "*" else alias.name
                hint = f"name what you need of it: {', '.join(sorted(names))}"
                self.refuse(node, f"{what} cannot be imported from {module}", hint)


def _is_future_annotations(node: ast.ImportFrom) -> bool:
    if node.module != "__future__" or node.level:
        return False
    return [(alias.name, alias.asname) for alias in node.names] == [("annotations", None)]


def _hint(name: str) -> str:
    """The way out for a module that is not here, or for a part of one that is."""
    package = name.partition(".")[0]
    if package in MODULES:
        return f"import {package} itself: it has {', '.join(sorted(MODULES[package]))}"
    return REFUSED_MODULES.get(package, _IMPORT_HINT)
