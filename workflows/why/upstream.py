"""Whose answer changed a prompt: told only when the answers of both runs stand in the two prompts, word for word."""

from __future__ import annotations

import json
from typing import Any

from workflows.why.history import History, Match
from workflows.why.past import PastRun
from workflows.why.reason import Upstream

MOST_WORK = 200_000_000
"""About so many characters are searched for one report; beyond that a prompt is said to have changed, no more."""
_LOOK, _READ = 2_000, 20_000
"""What looking for one text costs at least, and what reading one answer costs, in characters searched."""
_MOST_HELD = 32_000_000
_SHORTEST = 3
"""A shorter answer stands in any prompt by chance."""


class Upstreams:
    """The steps before others in `run`, whose answers may stand in their prompts. Work and memory are bounded."""

    def __init__(self, history: History, run: PastRun, *, most_work: int = MOST_WORK) -> None:
        self._history = history
        self._run = run
        self._left = most_work
        self._room = _MOST_HELD
        self._held: dict[tuple[str, int], tuple[str, ...]] = {}

    def behind(self, number: int, match: Match) -> Upstream | None:
        """The nearest step before this one whose answer stands in its prompt, and was another one then."""
        new = self._history.line(self._run, number)
        old = self._history.line(match.run, match.number)
        if new is None or old is None:
            return None
        for before in sorted((other for other in self._run.labels if other < number), reverse=True):
            if self._left <= 0:
                return None
            name = self._run.labels[before]
            counterpart = match.run.by_label.get(name)
            if counterpart is None or counterpart >= match.number:
                continue
            now, then = self._texts(self._run, before), self._texts(match.run, counterpart)
            if now != then and self._holds(new.prompt, now) and self._holds(old.prompt, then):
                return Upstream(before, name.text)
        return None

    def _holds(self, prompt: str, texts: tuple[str, ...]) -> bool:
        self._left -= len(texts) * max(len(prompt), _LOOK)
        return any(text in prompt for text in texts)

    def _texts(self, run: PastRun, number: int) -> tuple[str, ...]:
        """The answer of a step as a script may put it into a prompt; empty where it has none."""
        known = self._held.get((run.run_id, number))
        if known is not None:
            return known
        self._left -= _READ
        line = self._history.line(run, number)
        texts = _spellings(line.answer) if line is not None and line.answered else ()
        self._room -= sum(map(len, texts))
        if self._room > 0:
            self._held[run.run_id, number] = texts
        return texts


def _spellings(answer: Any) -> tuple[str, ...]:
    """An answer itself, as it stands inside a list or an object, and as JSON."""
    if isinstance(answer, str):
        if len(answer.strip()) < _SHORTEST:
            return ()
        return tuple(dict.fromkeys((answer, repr(answer)[1:-1], json.dumps(answer)[1:-1])))
    return tuple(dict.fromkeys((repr(answer), json.dumps(answer), json.dumps(answer, indent=2))))
