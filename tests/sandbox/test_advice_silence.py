"""A false warning is worse than a missing one: what works is not warned of, ours and what people write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.sandbox.advice import advise

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
import itertools
meta = {"name": "t", "description": "d", "phases": [{"title": "Ask"}, {"title": "Merge"}]}
"""

GOOD = """\
def ask(x):
    return agent(x)
async def main(args):
    return await parallel([ask(x) for x in 'ab'])
---
async def main(args):
    jobs = [agent('a'), agent('b')]
    return await parallel(jobs)
---
async def main(args):
    jobs = {x: agent(x) for x in 'ab'}
    return await parallel(jobs.values())
---
async def main(args):
    for job in [agent('a')]:
        return await job
---
async def main(args):
    return await (agent('a') if args else agent('b'))
---
async def main(args):
    if (job := agent('a')) is not None:
        return await job
---
async def main(args):
    return (await agent('x', {'schema': {}}))['k']
---
async def main(args):
    return [await each for each in [agent('a')]]
---
def agent(x):
    return x
async def main(args):
    agent('x')
    return agent('x')[0]
---
async def main(args):
    while True:
        if await agent('x'):
            break
---
async def main(args):
    while True:
        for x in 'ab':
            pass
        else:
            break
        await agent('x')
---
async def main(args):
    for n in itertools.count():
        if await agent('x'):
            return n
---
async def main(args):
    try:
        while True:
            await agent('x')
    except BudgetExceeded:
        return 1
---
async def main(args):
    with budget(1000):
        while True:
            await agent('x')
---
async def main(args):
    while True:
        await agent('x')
        assert budget.spent()
---
async def rounds():
    while True:
        yield await agent('x')
async def main(args):
    async for each in rounds():
        return each
---
def count():
    while True:
        yield 1
async def main(args):
    return next(count())
---
async def main(args):
    return [await agent(f'{n}{x}') for n, x in zip(itertools.count(), 'ab')]
---
async def main(args):
    return await parallel([lambda x=x: agent(x) for x in 'ab'])
---
async def main(args):
    return [sorted(x, key=lambda row: row[n]) for n, x in args.items()]
---
async def main(args):
    return [f() for f in (lambda: x for x in 'ab')]
---
async def step(x):
    phase('Ask')
    return await agent(x)
async def main(args):
    return [await step('a'), await step('b')]
---
def make(x):
    phase('Ask')
    return agent(x)
async def main(args):
    return await parallel([make('a')])
---
async def main(args):
    for title in ['One', 'Two']:
        phase(title)
---
async def main(args):
    return await agent('x', access=None, timeout=None, cache='1d', provider=args)
---
async def main(args: Arguments) -> Result:
    x: Any = 1
    return x
---
async def main(args):
    match args:
        case {'a': a, **rest}:
            return [a, rest]
        case [first, *others] as whole:
            return [first, others, whole]
---
async def main(args):
    try:
        return await agent('x')
    except AgentError as error:
        return error.reason
---
def twice(f):
    return f
@twice
async def job():
    return 1
async def main(args):
    job()
---
async def main(args):
    del args
    return [_ for _ in range(2)]
"""


@pytest.mark.parametrize("code", GOOD.split("\n---\n"))
def test_what_works_is_not_warned_of(code: str) -> None:
    assert advise(f"{HEAD}{code}\n") == []


def good_scripts() -> list[Path]:
    folders = [ROOT / "catalog", ROOT / "examples", ROOT / "tests" / "sandbox" / "scripts" / "benign"]
    if corpus := os.environ.get("MCO_CORPUS"):
        folders.append(Path(corpus) / "benign")
    return [path for folder in folders for path in sorted(folder.glob("*.py"))]


@pytest.mark.parametrize("path", good_scripts(), ids=lambda path: path.stem)
def test_a_good_script_has_no_warnings(path: Path) -> None:
    assert advise(path.read_text(encoding="utf-8")) == []
