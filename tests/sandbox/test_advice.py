"""Warnings: what will not work as meant is told at its place, with the way out."""

from __future__ import annotations

import pytest

from engine.sandbox.advice import advise
from engine.sandbox.api import AGENT_OPTIONS
from engine.sandbox.problem import Problem

HEAD = (
    "import itertools, json\n"
    'meta = {"name": "t", "description": "d", "phases": [{"title": "Ask"}, {"title": "Merge"}]}\n'
)
FIRST = 4
"""The line on which the body of main begins."""


def warnings(code: str) -> list[Problem]:
    return advise(HEAD + code + "\n")


def in_main(lines: str) -> list[Problem]:
    body = lines.replace("\n", "\n    ")
    return warnings(f"async def main(args):\n    {body}")


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, found
    return found[0]


# Coroutines


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ('agent("x")', "write await agent(…)"),
        ("parallel([])", "write await parallel(…)"),
        ('workflow("x")', "write await workflow(…)"),
        ('job = agent("x")', "write await agent(…)"),
        (
            "def f():\n    agent('x')",
            "the function must be async to await: write an async def with await agent(…)",
        ),
        ('[agent(x) for x in "ab"]', "write await parallel([…])"),
        ('jobs = [agent("a"), agent("b")]', "write await parallel([…])"),
    ],
)
def test_a_coroutine_that_nobody_awaits_is_told(lines: str, hint: str) -> None:
    warning = only(in_main(lines))
    assert "is never awaited, so it does nothing" in warning.message
    assert warning.hint == hint


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('r = await agent("x")["k"]', "write (await agent(…))[…]"),
        ('return agent("x").strip()', "write (await agent(…)).…"),
        ("return f\"{agent('x')}\"", "write await agent(…)"),
        ('return "a" + agent("x")', "write await agent(…)"),
        ('return agent("x") == "yes"', "write await agent(…)"),
        ('if agent("x"): return 1', "write await agent(…)"),
        ('return not agent("x")', "write await agent(…)"),
        ("for x in parallel([]): log(x)", "write await parallel(…)"),
        ("return [x for x in parallel([])]", "write await parallel(…)"),
        ("a, b = parallel([])", "write await parallel(…)"),
        ("return len(parallel([]))", "write await parallel(…)"),
        ('log(agent("x"))', "write await agent(…)"),
        ('return json.dumps(agent("x"))', "write await agent(…)"),
        ('return agent("x")', "write await agent(…)"),
        ('return {"a": agent("x")}', "write await parallel([…])"),
        ('return ", ".join([agent(x) for x in "ab"])', "write await parallel([…])"),
        ('await agent("a", task={"x": agent("x")})', "write await parallel([…])"),
        ('f = lambda: f"{agent(1)}"', "a lambda cannot await: write an async def with await agent(…)"),
    ],
)
def test_a_coroutine_that_is_used_as_if_it_were_the_answer_is_told(line: str, hint: str) -> None:
    warning = only(in_main(line))
    assert "is not awaited here" in warning.message
    assert warning.hint == hint
    assert warning.line == FIRST
    if "([" not in str(hint):
        assert warning.source[warning.column - 1 :].startswith(("agent(", "parallel("))


def test_an_async_function_of_the_script_is_a_coroutine_too() -> None:
    code = 'async def ask(x):\n    return await agent(x)\nasync def main(args):\n    ask("x")'
    assert only(warnings(code)).message == "ask() is never awaited, so it does nothing"


def test_a_coroutine_at_the_top_level_belongs_into_main() -> None:
    found = warnings('answer = agent("x")\nasync def main(args):\n    return 1')
    assert only(found).hint == "do it in main: await agent(…)"


@pytest.mark.parametrize("line", ['await [agent("a"), agent("b")]', "await (agent(x) for x in 'ab')"])
def test_several_coroutines_cannot_be_awaited_at_once(line: str) -> None:
    warning = only(in_main(line))
    assert (warning.message, warning.hint) == (
        "await takes one coroutine, not several",
        "write await parallel([…])",
    )


def test_what_gives_nothing_to_wait_for_needs_no_await() -> None:
    assert only(in_main('await phase("Ask")')).hint == "write phase(…) without await"


# Side by side


@pytest.mark.parametrize(
    "code",
    [
        'async def main(args):\n    await parallel([lambda: phase("Ask")])',
        'async def main(args):\n    await pipeline([1], lambda x: phase("Ask"))',
        'async def work():\n    phase("Ask")\nasync def main(args):\n    await parallel([work, work])',
        'async def work(x):\n    phase("Ask")\nasync def main(args):\n    await parallel([work(x) for x in "ab"])',
        'async def work(x):\n    phase("Ask")\nasync def main(args):\n    await pipeline([1], work)',
        'async def work(x):\n    phase("Ask")\nasync def main(args):\n    jobs = [work(1)]\n    await parallel(jobs)',
        'def deep():\n    phase("Ask")\nasync def main(args):\n    await parallel([lambda: deep()])',
    ],
)
def test_phase_inside_what_runs_side_by_side_is_told(code: str) -> None:
    warning = only(warnings(code))
    assert "its items overlap" in warning.message
    assert warning.hint == 'give the step its phase instead: agent(…, phase="…")'
    assert warning.source[warning.column - 1 :].startswith('phase("Ask")')


def test_parallel_takes_one_list_of_things_that_did_not_run_yet() -> None:
    assert only(in_main('await parallel(agent("a"), agent("b"))')).message == "parallel() takes one list"
    assert only(in_main('await parallel([await agent("a")])')).hint == (
        "leave out await: parallel() runs the items itself"
    )


@pytest.mark.parametrize(
    "lines",
    [
        'await parallel([lambda: agent(f"{x}") for x in "ab"])',
        'await parallel(lambda: agent(x) for x in "ab")',
        'jobs = []\nfor x in "ab":\n    jobs.append(lambda: agent(x))\nawait parallel(jobs)',
    ],
)
def test_functions_that_share_the_variable_of_a_loop_are_told(lines: str) -> None:
    warning = only(in_main(lines))
    assert warning.message == "each of these functions sees the last x: they run after the loop"
    assert warning.hint == "bind it where the function is made: lambda x=x: …"


# Phases, options, names


def test_a_phase_that_meta_does_not_announce_is_told_with_the_nearest() -> None:
    assert only(in_main('phase("Mrege")\nphase("Ask")')).hint == "did you mean 'Merge'?"
    found = only(in_main('await agent("x", phase="Later")'))
    assert found.message == "meta announces no phase 'Later'"
    assert found.hint == "add it to meta, or use 'Ask', 'Merge'"
    assert only(in_main('await agent("x", {"phase": "Later"})')).message == found.message


def test_without_announced_phases_any_title_is_right() -> None:
    text = 'meta = {"name": "t", "description": "d"}\nasync def main(args):\n    phase("Any")\n'
    assert advise(text) == []


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ('lable="y"', "agent() has no option lable", "did you mean label?"),
        ('{"lable": "y"}', "agent() has no option lable", "did you mean label?"),
        ("zzz=1", "agent() has no option zzz", f"it has {', '.join(AGENT_OPTIONS)}"),
        ('access="wirte"', "agent(): access cannot be 'wirte'", "did you mean 'write'?"),
        (
            'strategy="first"',
            "agent(): strategy cannot be 'first'",
            "use 'all' or 'race' or 'failover' or 'agree'",
        ),
        ("retries=-1", "agent(): retries cannot be -1", "it is a whole number from 0 to 20"),
        ("max_tool_calls=1.5", "agent(): max_tool_calls cannot be 1.5", "it is a whole number, 0 or more"),
        (
            'timeout="30s"',
            "agent(): timeout cannot be '30s'",
            "it is in seconds, more than 0 and at most 604800 (a week)",
        ),
        (
            'cache="tomorrow"',
            "agent(): cache cannot be 'tomorrow'",
            'use True, False, or an age such as "30m", "12h", "1d" or "2w"',
        ),
        ('reads="src/**"', "agent(): reads cannot be 'src/**'", "it is a list: reads=['src/**']"),
        ('provider=["a", "b"]', "agent(): provider cannot be a list", "use providers for several"),
        (
            'provider="a", providers=["b"]',
            "agent() takes provider or providers, not both",
            "leave one of them out",
        ),
        ('isolation="worktre"', "agent(): isolation cannot be 'worktre'", "did you mean 'worktree'?"),
        ('on_resume="rerum"', "agent(): on_resume cannot be 'rerum'", "did you mean 'rerun'?"),
        (
            '"and this"',
            "agent() takes one prompt; after it come options by name, or one dict of them",
            'write agent("…", label="…"); several texts are joined to one prompt first',
        ),
        (
            f"retries={hex(16**9000)}",
            "agent(): retries cannot be so large",
            "it is a whole number from 0 to 20",
        ),
    ],
)
def test_an_option_that_will_be_refused_is_told(options: str, message: str, hint: str) -> None:
    warning = only(in_main(f'return await agent("x", {options})'))
    assert (warning.message, warning.hint) == (message, hint)


@pytest.mark.parametrize(
    ("line", "name", "hint"),
    [
        ("answre = 1\n    return answer", "answer", "did you mean answre?"),
        ("return math.pi", "math", "add import math"),
        (
            "return datetime.now()",
            "datetime",
            "pass times in as arguments: a run takes the same path every time",
        ),
        ("return pararell([])", "pararell", "did you mean parallel?"),
        ("return qqqq", "qqqq", "define it, or take it from args"),
    ],
)
def test_a_name_that_nothing_binds_is_told_with_the_nearest(line: str, name: str, hint: str) -> None:
    warning = only(warnings(f"async def main(args):\n    {line}"))
    assert (warning.message, warning.hint) == (f"{name} is not defined", hint)


def test_a_name_is_told_once_where_it_is_first_read() -> None:
    assert only(in_main("log(qqqq)\nreturn qqqq")).line == FIRST


def test_names_that_are_errors_already_are_not_told_twice() -> None:
    assert in_main("return [open, __name__, os]\nimport os") == []


# Loops


@pytest.mark.parametrize(
    "lines",
    [
        'while True:\n    await agent("x")',
        'while 1:\n    for x in "ab":\n        await agent("x")\n        break',
        'while True:\n    await parallel([lambda: agent("x")])',
        'for n in itertools.count():\n    await workflow("x")',
        'for n in itertools.repeat("a"):\n    await agent(n)',
        'return [await agent("x") for n in itertools.cycle("ab")]',
        'async def ask():\n    return await agent("x")\nwhile True:\n    await ask()',
    ],
)
def test_a_loop_around_agents_without_an_end_is_told(lines: str) -> None:
    assert only(in_main(lines)).message == "this loop asks agents and has no end: only a ceiling stops it"
