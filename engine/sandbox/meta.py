"""Reads `meta` out of a script's tree without running anything: a literal, with known keys."""

from __future__ import annotations

import ast
import re
from typing import Any

from engine.sandbox.exact import exact_type
from engine.sandbox.problem import Problems
from engine.sandbox.values import NotJSON, json_value

META_BYTES = 64 * 1024
KEYS = ("name", "description", "phases", "args")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_EXAMPLE = 'write meta = {"name": "my-workflow", "description": "what it does"}'


class _NotLiteral(Exception):
    """A part of `meta` that has to be run to be known."""

    def __init__(self, node: ast.AST) -> None:
        super().__init__()
        self.node = node


def read_meta(tree: ast.Module, problems: Problems) -> dict[str, Any] | None:
    """The checked `meta` of a script, or None after saying what is wrong with it."""
    found = [(node, value) for node in tree.body if (value := _assigned(node)) is not None]
    if not found:
        problems.add("the script has no meta", _EXAMPLE)
        return None
    node, value = found[0]
    try:
        meta = json_value(_literal(value), "meta holds", META_BYTES)
    except _NotLiteral as refused:
        problems.at(refused.node, "meta must be a literal: nothing in it is run", "write the value itself")
    except NotJSON as refused:
        problems.at(node, str(refused), "it holds text, numbers, True, False, None, lists and dicts")
    else:
        return _check(meta, value, problems)
    return None


def _assigned(node: ast.stmt) -> ast.expr | None:
    """What a statement assigns to `meta`, if it does."""
    if isinstance(node, ast.Assign) and any(_is_meta(target) for target in node.targets):
        return node.value
    if isinstance(node, ast.AnnAssign) and _is_meta(node.target):
        return node.value
    return None


def _is_meta(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "meta"


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {_key(key, node): _literal(value) for key, value in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _negative(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined(node)
    raise _NotLiteral(node)


def _key(key: ast.expr | None, node: ast.Dict) -> Any:
    if not isinstance(key, ast.Constant):
        raise _NotLiteral(key or node)
    return key.value


def _negative(node: ast.UnaryOp) -> Any:
    value = _literal(node.operand)
    if type(value) not in (int, float):
        raise _NotLiteral(node)
    return -value


def _joined(node: ast.BinOp) -> str:
    left, right = _literal(node.left), _literal(node.right)
    if type(left) is not str or type(right) is not str:
        raise _NotLiteral(node)
    return left + right


def _check(meta: Any, node: ast.AST, problems: Problems) -> dict[str, Any] | None:
    if type(meta) is not dict:
        problems.at(node, "meta must be a dict", _EXAMPLE)
        return None
    return _check_dict(meta, node, problems)  # pyright: ignore[reportUnknownArgumentType]


def _check_dict(meta: dict[str, Any], node: ast.AST, problems: Problems) -> dict[str, Any] | None:
    before = len(problems.sorted())
    _check_keys(meta, node, problems)
    _check_name(meta, node, problems)
    _check_phases(meta.get("phases", []), node, problems)
    if not isinstance(meta.get("args", {}), dict):
        problems.at(node, 'meta["args"] must be a JSON Schema, as a dict', 'such as {"type": "object"}')
    return meta if len(problems.sorted()) == before else None


def _check_keys(meta: dict[str, Any], node: ast.AST, problems: Problems) -> None:
    for key in meta:
        if key not in KEYS:
            problems.at(node, f"meta has no {key[:40]!r}", f"it may have {', '.join(KEYS)}")


def _check_name(meta: dict[str, Any], node: ast.AST, problems: Problems) -> None:
    name = meta.get("name")
    if name is None:
        problems.at(node, "meta has no name", _EXAMPLE)
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.at(
            node,
            f'meta["name"] is {_shown(name)}',
            "use 1 to 64 of a-z, 0-9, - and _, beginning with a letter or a digit",
        )
    description = meta.get("description")
    if not isinstance(description, str) or not description.strip():
        problems.at(node, 'meta["description"] must be text', "say in one sentence what the workflow does")


def _check_phases(phases: Any, node: ast.AST, problems: Problems) -> None:
    if type(phases) is not list or not all(map(_is_phase, phases)):  # pyright: ignore[reportUnknownArgumentType]
        problems.at(
            node,
            'meta["phases"] must be a list of {"title": …, "detail": …}, both text',
            'such as [{"title": "Review"}]',
        )


def _is_phase(phase: Any) -> bool:
    kind = exact_type(phase)
    if kind is not dict or "title" not in phase:
        return False
    return all(key in ("title", "detail") and type(text) is str for key, text in phase.items())


def _shown(name: Any) -> str:
    return repr(name[:70]) if isinstance(name, str) else f"no text but {type(name).__name__}"
