"""What will not work as meant in a script that may run: found in its tree, without running anything.

A false warning is worse than a missing one: each kind warns only of what its lines alone make certain, or nearly so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

from engine.sandbox.advice_closures import advise_closures
from engine.sandbox.advice_coroutines import advise_await
from engine.sandbox.advice_loops import advise_bound
from engine.sandbox.advice_names import advise_names
from engine.sandbox.advice_options import advise_options
from engine.sandbox.advice_parallel import advise_parallel
from engine.sandbox.advice_phases import advise_titles
from engine.sandbox.meta import read_meta
from engine.sandbox.outline import Advice, Outline
from engine.sandbox.problem import Problem, Problems
from engine.sandbox.script import parse

MOST = 100
"""So many of one kind are looked for; more nobody reads."""

_KINDS: tuple[Callable[[Outline], Iterator[Advice]], ...] = (
    advise_await,
    advise_bound,
    advise_closures,
    advise_names,
    advise_options,
    advise_parallel,
)


def advise(text: str) -> list[Problem]:
    """The warnings for a script, in the order of the lines. None for a text that cannot be parsed."""
    found = Problems(text)
    with suppress(MemoryError, RecursionError):  # no advice is worth a script that could have run
        tree = parse(text, Problems(text))
        if tree is not None:
            meta = read_meta(tree, Problems(text))
            outline = Outline(tree)
            kinds = [*(kind(outline) for kind in _KINDS), advise_titles(outline, meta or {})]
            for advice in (each for kind in kinds for each in islice(kind, MOST)):
                found.at(advice.node, advice.message, advice.hint)
    return found.sorted()
