"""A question in plain words as a full-text query."""

from __future__ import annotations

import re

MAXIMUM_TERMS = 24
_TERM = re.compile(r"[^\W_]+")
_STOP_WORDS_TEXT = """
a about after all also am an and any are as at be because been before being between both but by can could
did do does doing done each either else every few for from get gets give given go had has have having he her
here him his how i if in into is it its itself just kind like made make makes many may me might more most
much must my no nor not of off on once one only or other our out over own per please s same say says she
should so some such t tell than that the their them then there these they this those through to too under
until up upon us use used uses using very was way we were what when where whether which while who whom why
will with without would you your der die das und oder ist work works working happen happens happened mean
means wie was wo im in zu von mit ein eine
"""
_STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())


def terms_of(question: str) -> list[str]:
    """The words of a question that say what it is about, in order, each once; all words when none of them does."""
    words = list(dict.fromkeys(word.casefold() for word in _TERM.findall(question)))
    telling = [word for word in words if word not in _STOP_WORDS and (len(word) > 1 or word.isdigit())]
    return (telling or words)[:MAXIMUM_TERMS]


def match_expression(terms: list[str]) -> str:
    """An FTS5 expression that finds any of the terms. Each is quoted, so none is taken for an operator."""
    return " OR ".join(f'"{term}"' for term in terms)


def stem(word: str) -> str:
    """Roughly what a word shares with its other forms; only to count how many different terms a passage has."""
    return word.casefold()[:5]
