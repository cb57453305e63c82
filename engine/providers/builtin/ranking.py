"""Which of the passages that were found are worth quoting, and which words of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from engine.providers.builtin.index import MARK, UNMARK, Hit
from engine.providers.builtin.query import stem

PER_FILE = 2
CODE_WEIGHT = 0.6
"""Code says what is done; a question is more often answered where people say why."""
SAME = 0.6
"""Passages that share more of their words than this say the same."""
QUOTE_CHARACTERS = 300
QUOTE_CODE_LINES = 6

_MARKED = re.compile(f"{MARK}([^{MARK}{UNMARK}]*){UNMARK}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'“(\[A-Z0-9`*_])")
_ITEM = re.compile(r"\n(?=\s*(?:[-*+•] |\d+[.)] |\|))")
"""Where a list item or a row of a table begins: a thought of its own, with or without a full stop."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hit with its final score and the stems of the query that it has."""

    hit: Hit
    score: float
    stems: frozenset[str]


def rank(hits: Iterable[Hit], terms: list[str]) -> list[Ranked]:
    """The hits by what they are worth; those that only share one word with a longer question are dropped."""
    wanted = {stem(term) for term in terms}
    ranked: list[Ranked] = []
    for hit in hits:
        found = frozenset(
            stem(word) for marked in _MARKED.findall(hit.marked) for word in _WORD.findall(marked)
        )
        if len(found) >= min(2, len(wanted)):
            covered = len(found) / len(wanted)
            weight = CODE_WEIGHT if hit.kind == "code" else 1.0
            ranked.append(Ranked(hit, hit.score * weight * covered**0.5, found))
    return sorted(ranked, key=lambda each: -each.score)


def diverse(ranked: Iterable[Ranked]) -> Iterator[Ranked]:
    """The best first, at most a few of one file and none that repeats what an earlier one said."""
    per_file: Counter[str] = Counter()
    said: list[frozenset[str]] = []
    for each in ranked:
        words = frozenset(word.casefold() for word in _WORD.findall(each.hit.text))
        if per_file[each.hit.file] < PER_FILE and not any(_overlap(words, other) > SAME for other in said):
            per_file[each.hit.file] += 1
            said.append(words)
            yield each


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    together = len(one | other)
    return len(one & other) / together if together else 1.0


def quote_of(ranked: Ranked) -> str:
    """The part of a passage that says most about the question: whole sentences of prose, whole lines of code."""
    text = ranked.hit.text
    if ranked.hit.kind == "code":
        windows = _windows(text.split("\n"), lambda lines: len(lines) <= QUOTE_CODE_LINES)
        best = max(windows, key=lambda lines: (_shared(lines, ranked.stems), len(lines)))
        return "\n".join(best).rstrip()
    sentences = [part for item in _ITEM.split(text) for part in _SENTENCE_END.split(" ".join(item.split()))]
    windows = _windows(sentences, lambda parts: sum(len(part) + 1 for part in parts) <= QUOTE_CHARACTERS)
    # Of prose the shortest that says it all, of code (above) what stands around it as well.
    return _cut(" ".join(max(windows, key=lambda parts: (_shared(parts, ranked.stems), -len(parts)))))


def _windows(parts: list[str], fits: Callable[[list[str]], bool]) -> Iterator[list[str]]:
    """Every run of neighbouring parts that fits; a single part always does."""
    for start in range(len(parts)):
        yield parts[start : start + 1]
        for end in range(start + 2, len(parts) + 1):
            if not fits(parts[start:end]):
                break
            yield parts[start:end]


def _shared(parts: list[str], wanted: frozenset[str]) -> int:
    return len({stem(word) for part in parts for word in _WORD.findall(part)} & wanted)


def _cut(quote: str) -> str:
    """A sentence without end, cut after a whole word: what is left is still word for word."""
    return quote if len(quote) <= 2 * QUOTE_CHARACTERS else quote[: 2 * QUOTE_CHARACTERS].rpartition(" ")[0]
