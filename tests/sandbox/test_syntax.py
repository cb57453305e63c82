"""Wall 1, the syntax: what is refused, each with a line, a reason and a way out; what is dropped or rewritten."""

from __future__ import annotations

import pytest

from engine.sandbox.problem import Problem
from engine.sandbox.script import Script, compile_script

META = 'meta = {"name": "test", "description": "a test"}\n'
MAIN = "async def main(args):\n    return 1\n"


def problems(code: str) -> list[Problem]:
    compiled = compile_script(META + code)
    return [] if isinstance(compiled, Script) else compiled


def in_main(line: str) -> list[Problem]:
    return problems(f"async def main(args):\n    {line}\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("class A: pass", "classes are not available"),
        ("args.x = 1", "attributes cannot be set"),
        ("args.x += 1", "attributes cannot be set"),
        ("del args.x", "attributes cannot be set or deleted"),
        ("async with args: pass", "async with is not available"),
        ("return open('x')", "open is not available"),
        ("return type(args)", "type is not available"),
        ("import os", "the module os cannot be imported"),
        ("import json.decoder", "the module json.decoder cannot be imported"),
        ("from json import *", "everything at once cannot be imported"),
        ("from json import codecs", "codecs cannot be imported from json"),
        ("from . import json", "relative imports"),
        ("from __future__ import division", "the module __future__ cannot be imported"),
    ],
)
def test_what_is_not_here_is_refused_with_words_and_a_place(line: str, words: str) -> None:
    found = in_main(line)
    assert words in found[0].message
    assert found[0].line == 3
    assert found[0].column >= 5
    assert found[0].source.strip() == line


@pytest.mark.parametrize(
    "line",
    [
        "_getattr_ = 1",
        "_getattr_ += 1",
        "_x: int = 1",
        "for _x in []: pass",
        "[_x for _x in []]",
        "with args as _x: pass",
        "(_x := 1)",
        "a, *_x = [1]",
        "import json as _x",
        "from json import loads as _x",
        "global _x",
        "del _x",
        "return __builtins__",
        "return args.__class__",
        "return args._private",
        "def _f(): pass",
        "def f(_x): pass",
        "def f(_x, /): pass",
        "def f(*, _x): pass",
        "def f(*_x): pass",
        "def f(**_x): pass",
        "def f(a, /, b=1, *, _getattr_=2): pass",
        "return lambda _x: 1",
        "return lambda _x, /: 1",
        "return dict(_x=1)",
        "def f(a: __builtins__): pass",
        "def f() -> __builtins__: pass",
        "x: __builtins__ = 1",
        "return args.__\uff43lass__",
        'return f"{(_getattr_ := 1)}"',
    ],
)
def test_names_that_begin_with_an_underscore_are_refused_in_every_position(line: str) -> None:
    assert any("underscore" in problem.message for problem in in_main(line))


@pytest.mark.parametrize(
    "lines",
    [
        "match args:\n        case _x: pass",
        "match args:\n        case [1] as _x: pass",
        "match args:\n        case [*_x]: pass",
        "match args:\n        case {**_x}: pass",
        "try: pass\n    except ValueError as _x: pass",
        "def f():\n        _x = 1\n        def g():\n            nonlocal _x",
    ],
)
def test_captures_that_are_plain_text_in_the_tree_are_checked_too(lines: str) -> None:
    assert any("underscore" in problem.message for problem in in_main(lines))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("object(__globals__=g)", "only builtin types"),
        ("str(upper=g)", "attributes cannot be matched"),
        ("int(a, b)", "attributes cannot be matched"),
        ("args.x", "only literals"),
        ("{args.x: 1}", "only literals"),
        ("1 + 2j", "complex"),
    ],
)
def test_match_reads_no_attributes(case: str, words: str) -> None:
    found = in_main(f"match args:\n        case {case}: pass")
    assert any(words in problem.message for problem in found)


def test_a_builtin_type_that_the_script_rebinds_cannot_be_matched() -> None:
    assert in_main("str = args\n    match args:\n        case str(): pass")


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    found = problems("import os\nclass A: pass\nasync def main(args):\n    return open(1)\n")
    assert [problem.line for problem in found] == [2, 3, 5]
    assert found[1].hint == "use a dict, or a function that returns one"


def test_a_name_that_the_script_defines_itself_may_be_called_type() -> None:
    assert in_main('type = "x"\n    return type') == []


def test_a_syntax_error_has_its_line_and_column() -> None:
    found = problems("async def main(args):\n    return (\n")
    assert found[0].message.startswith("syntax error")
    assert found[0].line == 3


def test_columns_count_characters_not_bytes() -> None:
    found = in_main('return ["äöü", open]')
    assert found[0].column == 20


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
    ],
)
def test_a_script_has_one_meta_and_one_main(code: str, words: str) -> None:
    assert any(words in problem.message for problem in problems(code))


@pytest.mark.parametrize(
    "code",
    [
        "x = " + "[" * 90 + "]" * 90,
        "x = " + "-" * 100_000 + "1",
        "x = " + "a" + ".b" * 5_000,
        "x = " + "[" * 30 + "0" + "".join(f" for a{n} in y]" for n in range(30)),
        "x = [" + "1," * 60_000 + "]",
        "x = '" + "y" * 300_000 + "'",
    ],
)
def test_a_script_too_large_or_too_deep_is_refused_before_it_is_compiled(code: str) -> None:
    compiled = compile_script(META + MAIN + code)
    assert not isinstance(compiled, Script)


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
