"""One meta, a literal that is read without running anything; one main."""

from __future__ import annotations

import pytest

from engine.sandbox.script import Script, compile_script
from tests.sandbox.syntax.checking import MAIN, problems


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "no main"),
        ("def main(args): return 1", "must be an async function"),
        ("async def main(): return 1", "exactly one parameter"),
        ("async def main(a, b): return 1", "exactly one parameter"),
        ("async def main(*args): return 1", "exactly one parameter"),
        ("x = 1\n" + MAIN + "meta = {}", "meta cannot be assigned again"),
        (MAIN + "def meta(): pass", "meta cannot be assigned again"),
        (MAIN + "import json as meta", "meta cannot be assigned again"),
        (MAIN + "for meta in []: pass", "meta cannot be assigned again"),
        (MAIN + "def f():\n    global meta\n    meta = 1", "meta cannot be assigned again"),
        (MAIN + "def f(a=(meta := {})): pass", "meta cannot be assigned again"),
        (MAIN + "def f(*, a=(meta := {})): pass", "meta cannot be assigned again"),
        (MAIN + "f = lambda a=(meta := {}): a", "meta cannot be assigned again"),
        (MAIN + "@(meta := print)\ndef f(): pass", "meta cannot be assigned again"),
        (MAIN + "(meta := 1)", "meta cannot be assigned again"),
        (MAIN + "del meta", "meta cannot be assigned again"),
    ],
)
def test_a_script_has_one_meta_and_one_main(code: str, words: str) -> None:
    assert any(words in problem.message for problem in problems(code))


def test_meta_may_be_the_name_of_a_variable_inside_functions() -> None:
    assert problems("async def main(args):\n    meta = lambda meta: meta\n    return 1\n") == []


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ('{"name": "Bad Name", "description": "d"}', "meta[\"name\"] is 'Bad Name'"),
        ('{"name": "' + "a" * 65 + '", "description": "d"}', 'meta["name"] is'),
        ('{"name": "a\\n", "description": "d"}', 'meta["name"] is'),
        ('{"description": "d"}', "meta has no name"),
        ('{"name": "a"}', 'meta["description"] must be text'),
        ('{"name": "a", "description": "d", "x": 1}', "meta has no 'x'"),
        ('{"name": "a", "description": "d", "phases": ["x"]}', 'meta["phases"]'),
        ('{"name": "a", "description": "d", "args": []}', 'meta["args"]'),
        ('{"name": "a", "description": b"d"}', "meta holds a bytes at $.description"),
        ('{"name": "a", "description": {1, 2}}', "must be a literal"),
        ('{"name": "a", "description": f"{1}"}', "must be a literal"),
        ('{"name": "a", **{}}', "must be a literal"),
        ('{1: "a"}', "the key 1 that is no text"),
        ("[1]", "meta must be a dict"),
        ("dict(name='a')", "must be a literal"),
    ],
)
def test_meta_is_a_literal_with_known_keys(meta: str, words: str) -> None:
    compiled = compile_script(f"meta = {meta}\n{MAIN}")
    assert not isinstance(compiled, Script)
    assert any(words in problem.message for problem in compiled)


def test_meta_is_read_without_running_anything() -> None:
    source = (
        'meta: dict = {"name": "a" "-b", "description": "x" + "y", "args": {"n": -1, "t": (1, 2.5, None)}}\n'
    )
    compiled = compile_script(source + MAIN)
    assert isinstance(compiled, Script)
    assert compiled.meta == {"name": "a-b", "description": "xy", "args": {"n": -1, "t": [1, 2.5, None]}}
