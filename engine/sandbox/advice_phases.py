"""Phase titles that `meta` does not announce."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from engine.sandbox.advice_names import nearest
from engine.sandbox.advice_options import agent_calls, options_of
from engine.sandbox.outline import Advice, Outline

_SHOWN = 60


def advise_titles(outline: Outline, meta: dict[str, Any]) -> Iterator[Advice]:
    """Titles that are written out and not among those of `meta`, if `meta` announces any."""
    announced = tuple(phase["title"] for phase in meta.get("phases", []))
    if not announced:
        return
    for node in _titles(outline):
        if isinstance(node, ast.Constant) and type(node.value) is str and node.value not in announced:
            near = nearest(node.value, announced)
            hint = f"did you mean {near!r}?" if near else f"add it to meta, or use {_listed(announced)}"
            yield Advice(node, f"meta announces no phase {node.value[:_SHOWN]!r}", hint)


def _titles(outline: Outline) -> Iterator[ast.expr]:
    for node in outline.nodes if outline.is_given("phase") else []:
        if isinstance(node, ast.Call) and node.args and outline.called(node) == "phase":
            yield node.args[0]
    for call in agent_calls(outline):
        yield from (option.value for option in options_of(call) if option.name == "phase")


def _listed(titles: tuple[str, ...]) -> str:
    return ", ".join(repr(title[:_SHOWN]) for title in titles[:8])
