"""Looks at scripts without running them: each is loaded in a worker, which reports its `meta` or its problems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import anyio

from engine.errors import MCOError, Problem, ScriptRefused
from workflows.script import Meta, Script


class Loaded(NamedTuple):
    """What a worker says of a script that may run: its raw `meta`, and what will not work as meant."""

    meta: dict[str, Any]
    warnings: tuple[Problem, ...] = ()


Load = Callable[[str, bytes], Awaitable[Loaded]]
"""Loads a named script; raises MCOError (ScriptRefused and kin) when it cannot."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A script with its `meta`, or with what is wrong with it; `warnings` where they were asked for."""

    script: Script
    meta: Meta | None
    error: MCOError | None = None
    warnings: tuple[Problem, ...] = ()


async def inspect(script: Script, load: Load) -> Inspected:
    """Load one script. A broken one is a value too: only what is wrong with mco raises."""
    try:
        loaded = await load(script.name, script.read())
    except ScriptRefused as refused:
        return Inspected(script, None, refused, refused.warnings)
    except MCOError as error:
        return Inspected(script, None, error)
    return Inspected(script, Meta.of(loaded.meta), None, loaded.warnings)


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
