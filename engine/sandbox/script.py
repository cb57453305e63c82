"""From the text of a script to its meta and its code, or to everything that is wrong with it. Runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import CodeType
from typing import Any, NamedTuple

from engine.sandbox.meta import read_meta
from engine.sandbox.policy import Policy
from engine.sandbox.problem import Problem, Problems
from engine.sandbox.refusals import mend_syntax
from engine.sandbox.shape import check_shape, check_size

FILE = "<workflow>"
"""The name under which a script's code appears in tracebacks."""

_MAIN = "write async def main(args): …; what it returns is the result"


class Script(NamedTuple):
    """A script that may run."""

    meta: dict[str, Any]
    code: CodeType


def compile_script(text: str) -> Script | list[Problem]:
    """The script of a text, or its problems in the order of the lines."""
    problems = Problems(text)
    tree = parse(text, problems)
    if tree is None:
        return problems.sorted()
    meta = read_meta(tree, problems)
    _check_meta_once(tree, problems)
    _check_main(tree, problems)
    tree = Policy(problems).visit(tree)
    # What only the compiler finds is told with the rest, so a refused script is compiled too, and thrown away.
    code = _compile(text if problems else tree, problems)
    if problems or meta is None or code is None:
        return problems.sorted()
    return Script(meta, code)


def parse(text: str, problems: Problems) -> ast.Module | None:
    """The tree of a text of bounded size and shape; None after saying why there is none."""
    check_size(text, problems)
    if problems:
        return None
    try:
        tree = ast.parse(text, FILE)
    except SyntaxError as error:
        _add_syntax_error(error, problems)
        return None
    except (RecursionError, MemoryError):
        problems.add("the script is nested too deeply to be read", "give inner parts names of their own")
        return None
    except ValueError as error:
        problems.add(f"the script cannot be read: {error}", "save it as plain text")
        return None
    check_shape(tree, problems)
    return None if problems else tree


def _compile(source: str | ast.Module, problems: Problems) -> CodeType | None:
    if isinstance(source, ast.Module):
        ast.fix_missing_locations(source)
    try:
        return compile(source, FILE, "exec", dont_inherit=True)
    except SyntaxError as error:
        _add_syntax_error(error, problems)
    except (RecursionError, MemoryError, ValueError) as error:
        message = f"the script cannot be compiled: {error or type(error).__name__}"
        problems.add(message, "move parts of it into functions of their own")
    return None


def _add_syntax_error(error: SyntaxError, problems: Problems) -> None:
    line = error.lineno or 0
    if not problems.on(line):  # of one line the policy says more than the compiler
        hint = mend_syntax(error.msg)
        problems.add(f"syntax error: {error.msg}", hint, line=line, column=error.offset or 0)


def _check_meta_once(tree: ast.Module, problems: Problems) -> None:
    """The first `meta` is the one that people saw: nothing at the top level may bind it again."""
    for node in _bindings(tree)[1:]:
        problems.at(node, "meta cannot be assigned again", "use another name")


def _bindings(tree: ast.Module) -> list[ast.AST]:
    """The nodes at the top level, outside functions, that bind `meta`, in the order of the lines."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if _binds_meta(node):
            found.append(node)
        waiting.extend(_run_here(node))
    return sorted(found, key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))


def _run_here(node: ast.AST) -> Iterable[ast.AST]:
    """The parts of a node that run where it stands: of a function its decorators and defaults, not its body."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return ast.iter_child_nodes(node)
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return [*decorators, *node.args.defaults, *filter(None, node.args.kw_defaults)]


def _binds_meta(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id == "meta" and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.alias):
        return (node.asname or node.name) == "meta"
    if isinstance(node, ast.MatchMapping):
        return node.rest == "meta"
    if isinstance(
        node, ast.FunctionDef | ast.AsyncFunctionDef | ast.MatchAs | ast.MatchStar | ast.ExceptHandler
    ):
        return node.name == "meta"
    return False


def _check_main(tree: ast.Module, problems: Problems) -> None:
    named = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "main"
    ]
    if not named:
        problems.add("the script has no main", _MAIN)
        return
    main = named[-1]
    if not isinstance(main, ast.AsyncFunctionDef):
        problems.at(main, "main must be an async function", _MAIN)
    arguments = main.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    if positional != 1 or arguments.vararg or arguments.kwonlyargs or arguments.kwarg:
        problems.at(main, "main takes exactly one parameter: the arguments", _MAIN)
