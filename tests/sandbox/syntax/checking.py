"""What wall 1 says of a piece of a script, and what the piece is worth when it runs."""

from __future__ import annotations

from typing import Any

from engine.sandbox.problem import Problem
from engine.sandbox.script import Script, compile_script
from tests.sandbox.play import META, body, play

MAIN = "async def main(args):\n    return 1\n"
IN_MAIN = len(META.splitlines()) + 2
"""The line on which a piece of `main` begins."""


def problems(code: str) -> list[Problem]:
    """What is wrong with a script, behind its meta."""
    compiled = compile_script(META + code)
    return [] if isinstance(compiled, Script) else compiled


def in_main(lines: str) -> list[Problem]:
    """What is wrong with lines inside main."""
    indented = lines.replace("\n", "\n    ")
    return problems(f"async def main(args):\n    {indented}\n")


def assert_refused(lines: str, words: str, line: int = 1) -> None:
    """These lines of main are refused, in these words, at this one of them (counted from 1)."""
    found = [problem for problem in in_main(lines) if words in problem.message]
    assert found, [problem.message for problem in in_main(lines)]
    assert found[0].line == IN_MAIN + line - 1
    assert found[0].column >= 1
    assert found[0].source == "    " + lines.split("\n")[line - 1]


async def value_of(lines: str) -> Any:
    """What main returns with these lines, in a real worker."""
    return (await play(body(lines))).result
