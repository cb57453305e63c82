"""The script language, in a real worker: agent, parallel, pipeline, phase, log, print, budget, workflow, args."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ScriptFailed
from engine.sandbox.host import BudgetTotals, Call, Spent, Worker
from tests.sandbox.play import META, body, echo, play

pytestmark = pytest.mark.anyio


async def test_a_call_carries_its_prompt_its_options_and_its_scope() -> None:
    played = await play(
        body('return await agent("hi", {"label": "a"}, schema={"type": "string"}, timeout=2.5)')
    )
    assert played.result == "echo:hi"
    assert played.calls == [
        Call(
            1,
            "agent",
            {"prompt": "hi", "options": {"label": "a", "schema": {"type": "string"}, "timeout": 2.5}},
            0,
        )
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('agent("x", lable="a")', "TypeError: agent() has no option 'lable'; did you mean 'label'?"),
        ('agent("x", {"label": "a"}, label="b")', "TypeError: agent() got the option 'label' twice"),
        ('agent("x", ["a"])', "TypeError: agent(): after the prompt come options"),
        ("agent(12)", "TypeError: agent(): the prompt must be text, not int"),
        ("agent(main)", "TypeError: agent(): the prompt must be text, not function"),
        ('agent("x", schema={1})', "ValueError: agent(): the options hold a set at $.schema"),
        ('agent("\\ud800")', "ValueError: agent(): the prompt is text with half a surrogate pair"),
        ('agent("x" * 9_000_000)', "ValueError: agent(): the prompt is more than 8,192 KiB"),
        ('agent("ä" * 4_000_000)', "ValueError: this is"),
        ("workflow(3)", "TypeError: workflow(): the name must be text"),
        ("parallel([1])", "TypeError: parallel(): item 0 is a value (int)"),
        ('parallel("ab")', "TypeError: parallel() needs a list, not a str"),
        ("pipeline([1], 2)", "TypeError: pipeline(): stage 1 is no function but int"),
        ("pipeline([1], lambda: 2)", "TypeError: pipeline(): stage 1 takes no parameters"),
        ("pipeline([1], lambda a, b, c, d: 2)", "TypeError: pipeline(): stage 1 takes 4 parameters"),
        ("[1]", "TypeError: a list cannot be awaited"),
    ],
)
async def test_wrong_calls_say_what_and_where(call: str, words: str) -> None:
    with pytest.raises(ScriptFailed) as caught:
        await play(body(f"return await {call}"), name="mine.py")
    assert caught.value.where == "mine.py:4"
    assert str(caught.value.why).startswith(words)


async def test_nothing_is_asked_before_it_is_awaited() -> None:
    played = await play(body('agent("never")\nreturn 1'))
    assert played.calls == []


async def test_failures_are_exceptions_with_reason_and_provider() -> None:
    def fail(worker: Worker, call: Call) -> None:
        worker.fail(call, "AgentError", "no answer", reason="timeout", provider="claude", spent={})

    script = """
try:
    await agent("x")
except AgentError as error:
    return [str(error), error.reason, error.provider, error.args]
"""
    assert (await play(body(script), answer=fail)).result == ["no answer", "timeout", "claude", ["no answer"]]


async def test_an_uncaught_failure_names_the_line_and_the_way_there() -> None:
    def fail(worker: Worker, call: Call) -> None:
        worker.fail(call, "AgentError", "no answer", reason="quota", provider="codex", spent={})

    script = (
        META
        + 'async def ask():\n    return await agent("x")\nasync def main(args):\n    return await ask()\n'
    )
    with pytest.raises(ScriptFailed) as caught:
        await play(script, answer=fail, name="mine")
    assert caught.value.where == "mine:3"
    assert caught.value.why == "AgentError (quota): no answer"
    assert caught.value.__notes__ == [
        "line 5, in main: return await ask()",
        'line 3, in ask: return await agent("x")',
    ]


def fail_bad(worker: Worker, call: Call) -> None:
    prompt = call.arguments["prompt"]
    if prompt == "bad":
        worker.fail(call, "AgentError", "no answer", reason="crashed", provider=None, spent={})
    elif prompt == "dear":
        worker.fail(call, "BudgetExceeded", "all spent", spent={})
    else:
        echo(worker, call)


async def test_parallel_keeps_the_order_and_logs_what_failed() -> None:
    script = 'return await parallel([agent("a"), lambda: agent("bad"), lambda: 1 / 0, lambda: 7, agent("b")])'
    played = await play(body(script), answer=fail_bad)
    assert played.result == ["echo:a", None, None, 7, "echo:b"]
    assert played.logged() == [
        ("warning", "parallel() item 1: AgentError (crashed): no answer"),
        ("warning", "parallel() item 2: ZeroDivisionError: division by zero"),
    ]


async def test_one_coroutine_given_twice_runs_once() -> None:
    played = await play(body('one = agent("a")\nreturn await parallel([one, one])'))
    assert played.result == ["echo:a", None]
    assert played.logged() == [
        ("warning", "parallel() item 1: RuntimeError: coroutine is being awaited already")
    ]
    assert len(played.calls) == 1


async def test_a_ceiling_is_raised_after_all_others_ended() -> None:
    script = """
try:
    await parallel([agent("dear"), agent("a"), lambda: agent("b")])
except BudgetExceeded as error:
    return str(error)
"""
    played = await play(body(script), answer=fail_bad)
    assert played.result == "all spent"
    assert [call.arguments["prompt"] for call in played.calls] == ["dear", "a", "b"]


async def test_parallel_sends_all_its_calls_before_it_waits() -> None:
    held: list[Call] = []

    def hold(worker: Worker, call: Call) -> None:
        held.append(call)
        if len(held) == 3:
            for each in reversed(held):
                echo(worker, each)

    played = await play(body('return await parallel([agent(p) for p in "abc"])'), answer=hold)
    assert played.result == ["echo:a", "echo:b", "echo:c"]


async def test_pipeline_has_no_barrier() -> None:
    order: list[str] = []
    first: list[Call] = []

    def answer(worker: Worker, call: Call) -> None:
        order.append(call.arguments["prompt"])
        if call.arguments["prompt"] == "1:slow":
            first.append(call)
            return
        echo(worker, call)
        if call.arguments["prompt"].startswith("3:") and first:
            echo(worker, first.pop())

    script = """
return await pipeline(["slow", "quick"],
    lambda item: agent("1:" + item),
    lambda previous, item: agent("2:" + item),
    lambda previous, item, index: agent(f"3:{item}:{index}:{previous}"))
"""
    played = await play(body(script), answer=answer)
    assert order.index("3:quick:1:echo:2:quick") < order.index("2:slow")
    assert played.result == ["echo:3:slow:0:echo:2:slow", "echo:3:quick:1:echo:2:quick"]


async def test_a_failed_stage_skips_the_later_ones_of_its_item_only() -> None:
    script = """
seen = []
def last(previous):
    seen.append(previous)
    return previous
return [await pipeline([1, 0, 2], lambda n: 2 / n, last), seen]
"""
    played = await play(body(script))
    assert played.result == [[2.0, None, 1.0], [2.0, 1.0]]
    assert played.logged() == [("warning", "pipeline() item 1: ZeroDivisionError: division by zero")]


async def test_a_stage_gets_what_it_has_no_default_for() -> None:
    script = """
extra = "x"
return await pipeline(["a"], lambda previous, extra=extra: previous + extra, str.upper, agent)
"""
    assert (await play(body(script))).result == ["echo:AX"]


async def test_notes_arrive_in_order_between_the_calls() -> None:
    script = 'phase("One")\nlog("hello", count=3)\nprint("a", 1, sep="-")\nawait agent("x")\nphase(2)'
    played = await play(body(script))
    assert [(note.name, note.arguments) for note in played.notes] == [
        ("phase", {"title": "One"}),
        ("log", {"message": "hello", "fields": {"count": 3}, "level": "info"}),
        ("log", {"message": "a-1", "fields": {}, "level": "info"}),
        ("phase", {"title": "2"}),
    ]


async def test_args_are_there_as_a_name_too() -> None:
    script = META + "size = args['n']\nasync def main(given):\n    return [size, given == args]\n"
    assert (await play(script, {"n": 4})).result == [4, True]


async def test_workflow_asks_the_host() -> None:
    played = await play(body('return await workflow("other", {"a": 1})'))
    assert played.result == "echo:other"
    assert played.calls[0].arguments == {"name": "other", "args": {"a": 1}}


async def test_the_budget_knows_what_the_last_reply_said() -> None:
    def answer(worker: Worker, call: Call) -> None:
        worker.reply(call, "x", {0: Spent(call.id * 100, 0.25)})

    script = """
before = [budget.total, budget.spent(), budget.remaining(), budget.cost.total, budget.cost.spent()]
await agent("a")
await agent("b")
return [before, budget.spent(), budget.remaining(), budget.cost.spent(), budget.cost.remaining()]
"""
    played = await play(body(script), answer=answer, budget=BudgetTotals(1000, 2.0))
    assert played.result == [[1000, 0, 1000, 2.0, None], 200, 800, 0.25, 1.75]


async def test_unknown_cost_is_none_and_no_ceiling_is_infinite() -> None:
    script = 'await agent("a")\nreturn [budget.total, budget.cost.spent(), budget.remaining() > 10**9]'
    assert (await play(body(script))).result == [None, None, True]


async def test_a_smaller_budget_passes_on_to_what_the_block_starts() -> None:
    spent: dict[int, Spent] = {0: Spent(70), 1: Spent(60)}

    def answer(worker: Worker, call: Call) -> None:
        worker.reply(call, call.scope, spent)

    script = """
with budget(500, cost=1.5) as small:
    inner = await parallel([lambda: agent("a"), agent("b")])
    left = [budget.total, budget.remaining(), small.spent(), budget.cost.total]
return [inner, left, await agent("c"), budget.spent()]
"""
    played = await play(body(script), answer=answer)
    assert played.result == [[1, 1], [500, 440, 60, 1.5], 0, 70]
    assert [note.arguments for note in played.notes] == [
        {"open": 1, "parent": 0, "tokens": 500, "cost": 1.5},
        {"close": 1},
    ]


COUNTER = """
from collections import Counter, defaultdict
lists = defaultdict(list)
lists["a"].append(1)
return [Counter("aab").most_common(1), lists]
"""
NONLOCAL = """
def count():
    n = 0
    def more():
        nonlocal n
        n += 1
    more()
    more()
    return n
return count()
"""


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        (
            'd = {"n": 1}\nkeys = []\ndef k():\n    keys.append(1)\n    return "n"\nd[k()] += 2\nreturn [d, keys]',
            [{"n": 3}, [1]],
        ),
        ('d = {"t": ""}\nd["t"] += await agent("a")\nreturn d', {"t": "echo:a"}),
        ("x = [1, 2, 3]\nx[1:] += [4]\nreturn x", [1, 2, 3, 4]),
        (COUNTER, [[["a", 2]], {"a": [1]}]),
        (NONLOCAL, 2),
        ("a, b = c = [1, 2]\nreturn [a, b, c]", [1, 2, [1, 2]]),
        ("seen = []\ndef f():\n    seen.append(1)\n    return (1, 2)\na, b = c = f()\nreturn len(seen)", 1),
        ("try:\n    1 / 0\nexcept:\n    return 'caught'", "caught"),
        (
            "async def g():\n    for i in range(3):\n        yield (i, i * i)\nreturn [a + b async for a, b in g()]",
            [0, 2, 6],
        ),
        ("x: int = 3\ndef f(a: dict[str, int], *b: list) -> set[int]:\n    return a\nreturn f(x)", 3),
        (
            'match {"a": [1, 2]}:\n    case {"a": [x, *rest], **more}:\n        return [x, rest, more]',
            [1, [2], {}],
        ),
        ("return f\"{3.14159:.2f}|{'a':>4}|{'q'!r:5}|{1:{4}}\"", "3.14|   a|'q'  |   1"),
        ("import itertools\nreturn list(itertools.chain.from_iterable([[1], [2]]))", [1, 2]),
        ("import re\nreturn re.sub(r'(?P<x>a)', lambda m: m['x'] + m.group(1), 'ba', flags=re.I)", "baa"),
        ("return divmod((1 << 60000) - 1, (1 << 30000) - 1)[1]", 0),
        ("def f(**k):\n    return k\nreturn f(**{'a': 1})", {"a": 1}),
        ("return 'ä'.encode().decode('latin-1')", "Ã¤"),
    ],
)
async def test_ordinary_python_means_what_it_means(lines: str, result: Any) -> None:
    assert (await play(body(lines))).result == result


@pytest.mark.parametrize(
    ("value", "why", "hint"),
    [
        ("{1}", "main() returned a set at $", "use a list"),
        ('{"items": [1, 2, {3}]}', "main() returned a set at $.items[2]", "use a list"),
        ("main", "main() returned a function at $", "call it first"),
        ('agent("x")', "main() returned a coroutine at $", "await it first"),
        ('float("nan")', "main() returned a number that is not finite at $", "use None"),
        ("{1: 2}", "main() returned the key 1 that is no text at $", "use str(key)"),
    ],
)
async def test_a_result_that_is_not_json_is_told(value: str, why: str, hint: str) -> None:
    with pytest.raises(ScriptFailed, match="the result is not JSON") as caught:
        await play(body(f"return {value}"))
    assert (caught.value.why, caught.value.hint) == (why, hint)
