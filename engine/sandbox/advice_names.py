"""Names that nothing in a script can ever have bound."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence

from engine.sandbox.facades import MODULES
from engine.sandbox.names import script_builtins
from engine.sandbox.outline import API, Advice, Outline
from engine.sandbox.refusals import REFUSED_MODULES, REFUSED_NAMES

_LONGEST = 40
_COMPARED = 500
"""Looking for the nearest of many long words takes time: what a person wrote stays far below these."""


def advise_names(outline: Outline) -> Iterator[Advice]:
    """Each name that is read and nowhere bound, once, where it is first read."""
    given = API | script_builtins().keys()
    known = [*sorted(given), *MODULES, *outline.bound]
    told: set[str] = set()
    for node in outline.nodes if "*" not in outline.bound else []:
        if isinstance(node, ast.Name) and node.id not in told and _is_missing(node, outline, given):
            told.add(node.id)
            yield Advice(node, f"{node.id[:_LONGEST]} is not defined", _hint(node.id, known))


def _is_missing(node: ast.Name, outline: Outline, given: frozenset[str]) -> bool:
    if not isinstance(node.ctx, ast.Load) or node.id in outline.bound or node.id in given:
        return False
    if node.id in REFUSED_NAMES or (node.id.startswith("_") and node.id != "_"):
        return False  # that is an error, and told as one
    above = outline.parent(node)
    return not (isinstance(above, ast.MatchClass) and above.cls is node)


def _hint(name: str, known: list[str]) -> str:
    if name in MODULES:
        return f"add import {name}"
    if name in REFUSED_MODULES:
        return REFUSED_MODULES[name]
    near = nearest(name, known)
    return f"did you mean {near}?" if near else "define it, or take it from args"


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant."""
    if len(name) > _LONGEST:
        return None
    words = [word for word in known[:_COMPARED] if len(word) <= _LONGEST and not word.startswith("_")]
    near = difflib.get_close_matches(name, words, 1, 0.7)
    return near[0] if near else None
