"""Every refusal has a way out: what to write instead."""

from __future__ import annotations

import pytest

from engine.sandbox.problem import LINE_SHOWN, Problem
from engine.sandbox.refusals import REFUSED_MODULES, REFUSED_NAMES
from engine.sandbox.script import Script, compile_script

META = 'meta = {"name": "test", "description": "a test"}\n'


def problems(text: str) -> list[Problem]:
    compiled = compile_script(text)
    assert not isinstance(compiled, Script)
    return compiled


def in_main(lines: str) -> list[Problem]:
    body = lines.replace("\n", "\n    ")
    return problems(f"{META}async def main(args):\n    {body}\n")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("class A: pass", "use a dict, or a function that returns one"),
        ("async with budget(1): pass", "use with for a budget, and try and finally for the rest"),
        ("try: pass\nexcept* ValueError: pass", "use except"),
        ("args.x = 1", 'use a dict: value["name"] = …'),
        ("del args.x", 'use a dict: value["name"] = …'),
        ("return args.__class__", "use isinstance(value, str)"),
        ("return args._inside", "use the items and methods of a value: its insides are not for scripts"),
        ("_x = 1", "call it x"),
        ("_1 = 1", "call it something else"),
        ("_for = 1", "call it something else"),
        ("if __name__ == '__main__': pass", "leave it out: mco calls main itself"),
        ("return __file__", "take paths from args: a script has no place of its own"),
        ("import os.path", REFUSED_MODULES["os"]),
        ("import time", "pass times in as arguments: a run takes the same path every time"),
        (
            "from random import choice",
            "pass such values in as arguments: a run takes the same path every time",
        ),
        ("from typing import Any", REFUSED_MODULES["typing"]),
        ("from dataclasses import dataclass", "use a dict, or a function that returns one"),
        ("import json.decoder", "import json itself: it has JSONDecodeError, dumps, loads"),
        ("from json import nothing", "name what you need of it: JSONDecodeError, dumps, loads"),
        ("from . import other", "a script is one file: run another with workflow(name, args)"),
        ("from __future__ import division", "leave it out: every script is modern Python"),
        ("match args:\n    case 1 + 2j: pass", "compare in a guard: case x if x == …"),
        ("match args:\n    case args.x: pass", "compare in a guard: case x if x == …"),
        ("match args:\n    case str(upper=x): pass", "match the type, then look inside"),
        ("str = 1\nmatch args:\n    case str(): pass", "call your own str something else"),
    ],
)
def test_a_refusal_names_what_to_write_instead(line: str, hint: str) -> None:
    assert [problem.hint for problem in in_main(line)] == [hint]


def test_a_module_that_nobody_expects_here_leads_to_those_that_are() -> None:
    (problem,) = in_main("import somebodys")
    assert str(problem.hint).startswith("these can be imported: collections, ")


@pytest.mark.parametrize("name", sorted(REFUSED_NAMES))
def test_a_builtin_that_is_not_here_has_its_own_way_out(name: str) -> None:
    assert [problem.hint for problem in in_main(f"return {name}")] == [REFUSED_NAMES[name]]


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ("def f():\n    await agent('x')", "make the function around it async def"),
        ("break", "use it in a for or while"),
        ("continue", "use it in a for or while"),
        ("x = [", "close it"),
        ("x = 'abc", "close the quotes"),
        ("if args:\nx = 1", "indent what belongs to it by four spaces"),
        ("x = 1\n  y = 2", "give it as many spaces as the line above"),
        ("def f():\n    nonlocal z", "give it a value in the function outside, or use global"),
        ("def f(a, a): pass", "give each parameter a name of its own"),
        ("x = 1 +", "mend this first: the rest is read only then"),
        ("yield 1\nreturn 2", "collect the values in a list and return that, without yield"),
    ],
)
def test_a_syntax_error_has_a_way_out_beside_what_python_says(lines: str, hint: str) -> None:
    found = in_main(lines)
    assert [problem.hint for problem in found if problem.message.startswith("syntax error: ")] == [hint]


def test_a_mistake_that_only_the_compiler_finds_is_told_with_the_others() -> None:
    found = problems(META + "import os\nasync def main(args):\n    return 1\nawait agent('x')\n")
    assert [(problem.line, problem.hint) for problem in found] == [
        (2, REFUSED_MODULES["os"]),
        (5, "write await in main, or in another async def"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "meta = 1\ndef main(): pass",
        'meta = {"name": "A", "x": 1, "phases": 1, "args": 1}\nmeta = 2\nasync def main(a, b): pass',
        'meta = {"name": "a", "description": b"x"}\nasync def main(args): pass',
        'meta = {"name": f"a"}\nasync def main(args): pass',
        META + "async def main(args): pass\nx = " + "[" * 90 + "]" * 90,
        META + "async def main(args): pass\nx = " + "-" * 100_000 + "1",
        META + "async def main(args): pass\nx = [" + "1," * 60_000 + "]",
        "#" * 300_000,
        META + "async def main(args): pass\ntype X = int\ndef f[T](): pass",
    ],
)
def test_no_problem_is_without_a_way_out(text: str) -> None:
    found = problems(text)
    assert found
    assert all(problem.hint for problem in found), found


def test_of_a_long_line_the_part_around_the_problem_is_shown() -> None:
    (problem,) = in_main(f"return [{'args, ' * 90}open, {'args, ' * 90}]")
    assert len(problem.source) == LINE_SHOWN
    assert problem.source[problem.column - 1 - problem.skipped :].startswith("open, ")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_python_whatever_ends_them(end: str) -> None:
    text = f"{META}x = '\x0c\u2028'\nasync def main(args):\n    return open\n".replace("\n", end)
    (problem,) = problems(text)
    assert (problem.line, problem.column, problem.source) == (4, 12, "    return open")
