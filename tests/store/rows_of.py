"""Answers for the tests of the store: rows that are sound, and ways to spoil them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from engine.step import Answer, Key, KeyMaker, Step, Usage
from engine.store.cache import AnswerCache


def key_of(prompt: str) -> Key:
    return KeyMaker().key(Step(prompt=prompt, reads=()), None)


def keep(
    folder: Path, *prompts: str, made_at: float = 100.0, value: object = "said", run: str = "r1"
) -> list[str]:
    """Keep an answer to each prompt; the keys."""
    keys = [key_of(prompt) for prompt in prompts]
    with closing(AnswerCache(folder)) as cache:
        for key in keys:
            answer = Answer(value=value, usage=Usage(input_tokens=10, cost=0.5), provider="fake")
            cache.put(key, answer, run=run, made_at=made_at)
        assert cache.warnings == []
    return [key.digest for key in keys]


def kept(folder: Path, key: str) -> bool:
    with closing(AnswerCache(folder)) as cache:
        return cache.get(key) is not None


def spoil(folder: Path, sql: str, *values: object) -> None:
    """Change the database behind the store's back."""
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute(sql, values)
