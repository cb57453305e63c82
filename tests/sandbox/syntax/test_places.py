"""Where a problem is: line, column and source, all problems at once."""

from __future__ import annotations

from tests.sandbox.syntax.checking import in_main, problems


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    found = problems("import os\nclass A: pass\nasync def main(args):\n    return open(1)\n")
    assert [problem.line for problem in found] == [2, 3, 5]
    assert found[1].hint == "use a dict, or a function that returns one"


def test_a_syntax_error_has_its_line_and_column() -> None:
    found = problems("async def main(args):\n    return (\n")
    assert found[0].message.startswith("syntax error")
    assert found[0].line == 3


def test_columns_count_characters_not_bytes() -> None:
    found = in_main('return ["äöü", open]')
    assert found[0].column == 20


def test_a_problem_has_a_column_and_the_text_of_its_line() -> None:
    found = in_main("class A: pass")
    assert found[0].line == 3
    assert found[0].column >= 5
    assert found[0].source.strip() == "class A: pass"
