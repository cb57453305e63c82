"""Scripts are looked at side by side, a bounded number at once, and a broken one breaks nothing else."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from engine.errors import Problem, ScriptRefused
from workflows.inspection import Loaded, inspect_all
from workflows.script import Script

pytestmark = pytest.mark.anyio


def _scripts(folder: Path, number: int) -> list[Script]:
    scripts = [Script(f"s{n}", folder / f"s{n}.py", "file") for n in range(number)]
    for script in scripts:
        script.path.write_text(script.name)
    return scripts


async def test_the_answers_are_in_the_order_of_the_scripts_and_a_broken_one_is_one_of_them(
    tmp_path: Path,
) -> None:
    async def load(name: str, source: bytes) -> Loaded:
        if name == "s1":
            raise ScriptRefused(name, [Problem(1, 1, "no")], (Problem(2, 1, "hardly"),))
        return Loaded({"name": name, "description": source.decode()}, (Problem(3, 1, "perhaps"),))

    scripts = _scripts(tmp_path, 3)
    scripts[2].path.unlink()
    found = await inspect_all(scripts, load, 2)

    assert [one.script.name for one in found] == ["s0", "s1", "s2"]
    assert found[0].meta is not None
    assert found[0].meta.description == "s0"
    assert found[0].warnings == (Problem(3, 1, "perhaps"),)
    assert isinstance(found[1].error, ScriptRefused)
    assert found[1].warnings == (Problem(2, 1, "hardly"),)
    assert found[2].error is not None
    assert found[2].error.what == "there is no such file"


async def test_no_more_are_loaded_at_once_than_asked_for(tmp_path: Path) -> None:
    inside, most = 0, 0

    async def load(_name: str, _source: bytes) -> Loaded:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await anyio.lowlevel.checkpoint()
        inside -= 1
        return Loaded({})

    await inspect_all(_scripts(tmp_path, 9), load, 3)

    assert most == 3
