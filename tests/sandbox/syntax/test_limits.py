"""How large a script may be, how deep, and how much of what the compiler can take little of."""

from __future__ import annotations

import pytest

from engine.sandbox.script import Script, compile_script
from engine.sandbox.shape import COMPREHENSIONS, ELIFS, FINALS
from tests.sandbox.play import META, play
from tests.sandbox.syntax.checking import MAIN, problems


def in_each_other(start: str, count: int, core: str) -> str:
    """Blocks inside each other, each in what the one before ends with."""
    lines = [f"{'    ' * depth}{line}" for depth in range(count) for line in start.split("\n")]
    return "\n".join([*lines, "    " * count + core]) + "\n"


def comprehensions(count: int) -> str:
    return "x = " + "[" * count + "0" + "".join(f" for a{n} in y]" for n in range(count))


def ladder(rungs: int) -> str:
    links = "".join(f"    elif args == {n}:\n        return {n}\n" for n in range(rungs))
    return f"async def main(args):\n    if args == -1:\n        return -1\n{links}    else:\n        return 'none'\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = " + "[" * 90 + "]" * 90, "nested more than 80 deep"),
        ("x = " + "-" * 100_000 + "1", "nested too deeply"),
        ("x = " + "a" + ".b" * 5_000, "nested"),
        (comprehensions(30), "more than 12 comprehensions inside each other"),
        (comprehensions(COMPREHENSIONS + 1), "more than 12 comprehensions inside each other"),
        ("x = [" + "1," * 60_000 + "]", "more than 50,000 parts"),
        ("x = '" + "y" * 300_000 + "'", "at most 262,144 are taken"),
        (in_each_other("if x:", 90, "pass"), "nested more than 80 deep"),
        (in_each_other("try: x\nfinally:", FINALS + 1, "pass"), "more than 4 finally inside each other"),
        (ladder(ELIFS + 1), "more than 500 elif in one chain"),
        ("x = " + "lambda: " * 90 + "1", "nested more than 80 deep"),
        ("x = " + "1 if x else " * 90 + "1", "nested more than 80 deep"),
        ("x = " + " + ".join("x" * 200), "nested more than 80 deep"),
        ("(" * 300, "syntax error"),
    ],
)
def test_a_script_too_large_or_too_deep_is_refused_before_it_is_compiled(code: str, words: str) -> None:
    compiled = compile_script(META + MAIN + code)
    assert not isinstance(compiled, Script)
    assert any(words in problem.message for problem in compiled), compiled


def test_what_is_at_the_limits_is_taken() -> None:
    assert problems(MAIN + "y = []\n" + comprehensions(COMPREHENSIONS)) == []
    assert problems(MAIN + in_each_other("try: x\nfinally:", FINALS, "pass")) == []
    assert problems(MAIN + "x = " + "[" * 70 + "]" * 70) == []


@pytest.mark.anyio
async def test_a_long_chain_of_elif_is_flat_and_every_rung_is_reached() -> None:
    script = META + ladder(ELIFS)
    assert [(await play(script, args)).result for args in (-1, 0, ELIFS - 1, "x")] == [
        -1,
        0,
        ELIFS - 1,
        "none",
    ]


def test_every_rung_of_a_chain_is_checked() -> None:
    chain = "if args: pass\n    elif args: _x = 1\n    elif open: pass\n    else: return args.__class__"
    found = problems(f"async def main(args):\n    {chain}\n")
    assert [problem.line for problem in found] == [4, 5, 6]
