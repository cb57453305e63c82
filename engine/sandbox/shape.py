"""How large a script may be, and how deep: checked before anything is compiled, because the compiler can crash."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.sandbox.exact import exact_type
from engine.sandbox.problem import Problems

SOURCE_BYTES = 256 * 1024
NODES = 50_000
DEPTH = 80
COMPREHENSIONS = 12
"""CPython 3.12 and 3.13 crash while compiling some twenty nested ones."""

FINALS = 4
"""The compiler copies what stands in a `finally` to every way out of its `try`: inside each other they multiply."""
ELIFS = 500
"""In the tree each stands inside the one before; the compilers of 3.11 to 3.13 take some two thousand."""

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def check_size(text: str, problems: Problems) -> None:
    """Refuse a text that is too long to parse."""
    size = len(text.encode(errors="replace"))
    if size > SOURCE_BYTES:
        problems.add(
            f"the script has {size:,} bytes; at most {SOURCE_BYTES:,} are taken",
            "keep data out of the script: pass it as arguments",
        )


class _Place(NamedTuple):
    """Where a node stands: how deep, inside how many of what the compiler takes few of, how far down a chain."""

    depth: int = 0
    comprehensions: int = 0
    finals: int = 0
    elifs: int = 0


_LIMITS = (
    (DEPTH, f"this is nested more than {DEPTH} deep", "give inner parts names of their own"),
    (COMPREHENSIONS, f"more than {COMPREHENSIONS} comprehensions inside each other", "use loops"),
    (FINALS, f"more than {FINALS} finally inside each other", "write the inner ones one after the other"),
    (ELIFS, f"more than {ELIFS} elif in one chain", "use a dict of functions"),
)
"""In the order of the fields of a place."""


def check_shape(tree: ast.Module, problems: Problems) -> None:
    """Refuse a tree with too many nodes, or too deep. Walks without recursion, whatever the depth."""
    count = 0
    waiting: list[tuple[ast.AST, _Place]] = [(tree, _Place())]
    while waiting:
        node, place = waiting.pop()
        count += 1
        if count > NODES:
            problems.add(f"the script has more than {NODES:,} parts", "split it into several workflows")
            return
        for number, (limit, message, hint) in zip(place, _LIMITS, strict=True):
            if number > limit:
                problems.at(node, message, hint)
                return
        waiting.extend(_below(node, place))


def elif_of(node: ast.If) -> ast.If | None:
    """The `elif` of an `if`, which in the tree is all that stands in its `else`."""
    inner = node.orelse[0] if len(node.orelse) == 1 else None
    return inner if isinstance(inner, ast.If) else None


def _below(node: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    """The children of a node, and where they stand."""
    comprehensions = place.comprehensions + isinstance(node, _COMPREHENSIONS)
    inside = _Place(place.depth + 1, comprehensions, place.finals)
    finally_inside = inside._replace(finals=place.finals + 1)
    following = elif_of(node) if isinstance(node, ast.If) else None
    for name, value in ast.iter_fields(node):
        for child in _nodes(value):
            if child is following:
                yield child, place._replace(elifs=place.elifs + 1)
            else:
                yield child, finally_inside if name == "finalbody" else inside


def _nodes(value: Any) -> list[ast.AST]:
    kind = exact_type(value)
    values: list[Any] = value if kind is list else [value]
    return [each for each in values if isinstance(each, ast.AST)]
