"""Looks at scripts without running them: each is loaded in a worker, which reports its `meta` or its problems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from engine.errors import MCOError
from workflows.script import Meta, Script

Load = Callable[[str, bytes], Awaitable[dict[str, Any]]]
"""Loads a named script and returns its raw meta; raises MCOError (ScriptRefused and kin) when it cannot."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A script with its `meta`, or with what is wrong with it."""

    script: Script
    meta: Meta | None
    error: MCOError | None = None


async def inspect(script: Script, load: Load) -> Inspected:
    """Load one script. A broken one is a value too: only what is wrong with mco raises."""
    try:
        meta = await load(script.name, script.read())
    except MCOError as error:
        return Inspected(script, None, error)
    return Inspected(script, Meta.of(meta))


async def inspect_all(scripts: Sequence[Script], load: Load, at_once: int) -> list[Inspected]:
    """Load several scripts, at most `at_once` side by side; the answers are in the order of the scripts."""
    places = anyio.CapacityLimiter(at_once)
    found: dict[int, Inspected] = {}

    async def one(index: int, script: Script) -> None:
        async with places:
            found[index] = await inspect(script, load)

    async with anyio.create_task_group() as tasks:
        for index, script in enumerate(scripts):
            tasks.start_soon(one, index, script)
    return [found[index] for index in range(len(scripts))]
