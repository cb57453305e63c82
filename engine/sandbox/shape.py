"""How large a script may be, and how deep: checked before anything is compiled, because the compiler can crash."""

from __future__ import annotations

import ast

from engine.sandbox.problem import Problems

SOURCE_BYTES = 256 * 1024
NODES = 50_000
DEPTH = 80
COMPREHENSIONS = 12
"""CPython 3.12 and 3.13 crash while compiling some twenty nested ones."""

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def check_size(text: str, problems: Problems) -> None:
    """Refuse a text that is too long to parse."""
    size = len(text.encode(errors="replace"))
    if size > SOURCE_BYTES:
        problems.add(
            f"the script has {size:,} bytes; at most {SOURCE_BYTES:,} are taken",
            "keep data out of the script: pass it as arguments",
        )


def check_shape(tree: ast.Module, problems: Problems) -> None:
    """Refuse a tree with too many nodes, or too deep. Walks without recursion, whatever the depth."""
    count = 0
    waiting: list[tuple[ast.AST, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, depth, comprehensions = waiting.pop()
        count += 1
        comprehensions += isinstance(node, _COMPREHENSIONS)
        if count > NODES:
            problems.add(f"the script has more than {NODES:,} parts", "split it into several workflows")
            return
        if depth > DEPTH:
            problems.at(node, f"this is nested more than {DEPTH} deep", "give inner parts names of their own")
            return
        if comprehensions > COMPREHENSIONS:
            problems.at(node, f"more than {COMPREHENSIONS} comprehensions inside each other", "use loops")
            return
        waiting.extend((child, depth + 1, comprehensions) for child in ast.iter_child_nodes(node))
