from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from engine.errors import StepFailed
from engine.providers.base import Question
from engine.providers.builtin import BuiltinProvider, ruff

pytestmark = pytest.mark.anyio

PLANTED = """\
import hashlib
import subprocess


def find(cursor, name, seen=[]):
    seen.append(name)
    cursor.execute("select * from users where name = '%s'" % name)
    subprocess.run("ls " + name, shell=True, check=True)
    undefined_function()
    assert name
    return hashlib.md5(name.encode())


def double(lists):
    out = []
    for each in lists:
        out.append(each * 2)
    return sum(lists, []), out
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def places(value: dict[str, Any]) -> dict[str, tuple[str, int]]:
    return {each["rule"]: (each["severity"], each["line"]) for each in value["findings"]}


@pytest.mark.parametrize(
    ("aspect", "expected"),
    [
        ("correctness", {"B006": ("high", 5), "F821": ("high", 9)}),
        ("security", {"S608": ("high", 7), "S602": ("high", 8), "S324": ("medium", 11)}),
        ("performance", {"RUF017": ("medium", 18), "PERF401": ("low", 17)}),
    ],
)
async def test_planted_faults_are_found_on_their_lines_and_nothing_else(
    aspect: str, expected: dict[str, tuple[str, int]], ask: Any, write: Any
) -> None:
    write("src/app.py", PLANTED)
    value = await ask(kind="review", aspect=aspect)
    assert places(value) == expected
    assert value["counts"]["total"] == value["counts"]["shown"] == len(expected)
    assert value["files"] == 1
    assert "no language model was used" in value["produced_by"]
    for finding in value["findings"]:
        assert finding["file"] == "src/app.py"
        assert finding["category"] == aspect
        assert finding["snippet"] == PLANTED.splitlines()[finding["line"] - 1].strip()
        assert finding["recommendation"]


async def test_a_title_names_what_is_undefined(ask: Any, write: Any) -> None:
    write("app.py", "undefined_function()\n")
    (finding,) = (await ask(kind="review", aspect="correctness"))["findings"]
    assert finding["title"] == "`undefined_function` is used but never defined"


async def test_more_than_a_few_of_one_rule_are_counted_and_not_shown(ask: Any, write: Any) -> None:
    write("app.py", "".join(f"missing_{number}()\n" for number in range(9)) + "def f(x=[]):\n    return x\n")
    value = await ask(kind="review", aspect="correctness")
    assert value["counts"]["total"] == 10
    assert value["counts"]["shown"] == len(value["findings"]) == 6
    assert value["left_out"] == [{"what": "more of F821: a name is used but never defined", "count": 4}]


async def test_the_limit_keeps_the_gravest(ask: Any, write: Any) -> None:
    write("app.py", "x = None\nx == None\ndef f(y=[]):\n    return y\n")
    value = await ask(kind="review", aspect="correctness", limit=1)
    assert [each["rule"] for each in value["findings"]] == ["B006"]
    assert sum(each["count"] for each in value["left_out"]) == value["counts"]["total"] - 1 > 0


async def test_neither_settings_nor_comments_of_the_project_hide_a_fault_silently(
    ask: Any, write: Any
) -> None:
    write("pyproject.toml", '[tool.ruff]\nexclude = ["*.py"]\n[tool.ruff.lint]\nignore = ["ALL"]\n')
    write("ruff.toml", "this is not even TOML")
    write("app.py", "eval(input())\nexec(input())  # noqa: S102\n")
    value = await ask(kind="review", aspect="security")
    assert places(value) == {"S307": ("high", 1)}
    assert value["left_out"] == [{"what": "silenced by `noqa` comments in the code", "count": 1}]


async def test_tests_are_treated_leniently_and_that_is_said(ask: Any, write: Any) -> None:
    write("tests/test_app.py", "def test_it(x=[]):\n    eval('x')\n")
    security = await ask(kind="review", aspect="security")
    assert security["findings"] == []
    assert security["left_out"] == [{"what": "in tests, where security matters less", "count": 1}]
    correctness = await ask(kind="review", aspect="correctness")
    assert places(correctness)["B006"][0] == "medium"


async def test_a_broken_file_is_one_critical_finding(ask: Any, write: Any) -> None:
    write("broken.py", "def (\n  nonsense nonsense\n")
    value = await ask(kind="review", aspect="correctness")
    assert [each["severity"] for each in value["findings"]] == ["critical"]
    assert value["findings"][0]["rule"] == "invalid-syntax"
    security = await ask(kind="review", aspect="security")
    assert security["findings"] == []
    assert "correctness review" in security["left_out"][0]["what"]


async def test_the_names_of_workflow_scripts_are_known_in_them_and_only_there(ask: Any, write: Any) -> None:
    call = "async def main(args):\n    return await agent('x')\n"
    write("flow.py", "meta = {'name': 'flow'}\n\n\n" + call)
    write("other.py", call)
    value = await ask(kind="review", aspect="correctness")
    assert [each["file"] for each in value["findings"]] == ["other.py"]


async def test_a_clean_project_has_no_findings(ask: Any, write: Any) -> None:
    write("app.py", "print('hello')\n")
    value = await ask(kind="review", aspect="correctness")
    assert value["findings"] == []
    assert value["summary"] == "No correctness findings in 1 Python file."


async def test_a_target_without_python_is_unsupported_and_no_empty_success(ask: Any, write: Any) -> None:
    write("main.go", "package main\n")
    with pytest.raises(StepFailed, match="no Python files") as failed:
        await ask(kind="review", aspect="security")
    assert failed.value.reason == "unsupported"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("nowhere", "not_found"),
        ("../outside", "refused"),
        ("/etc", "refused"),
        ("link", "refused"),
        ("a\0b", "not_found"),
    ],
)
async def test_a_target_must_be_there_and_inside(
    target: str, reason: str, ask: Any, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (workspace / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(StepFailed) as failed:
        await ask(kind="review", aspect="security", target=target)
    assert failed.value.reason == reason
    assert failed.value.hint


async def test_a_link_out_of_the_workspace_gives_nothing_away(
    ask: Any, write: Any, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.py").write_text("eval('token-4711')\n")
    (workspace / "linked.py").symlink_to(tmp_path / "secret.py")
    write("app.py", "print('hello')\n")
    value = await ask(kind="review", aspect="security")
    assert value["findings"] == []
    assert "4711" not in str(value)
    assert value["left_out"] == [{"what": "in files behind links that leave the workspace", "count": 1}]


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for ruff is a shell script")
async def test_a_cancelled_review_leaves_no_child(
    provider: BuiltinProvider, workspace: Path, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    program = write("../slow-ruff", f"#!/bin/sh\necho $$ > '{started}'\nexec sleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setattr(ruff, "_program", lambda: str(program))
    task = {"kind": "review", "aspect": "security"}
    pid = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            provider.ask, Question(prompt="", task=task, workspace=workspace), lambda progress: None
        )
        pid = int(await anyio.Path(started).read_text())
        tasks.cancel_scope.cancel()
    assert pid
    # A killed child stays a zombie until the loop hears of its end.
    with anyio.fail_after(10):
        while is_alive(pid):
            await anyio.lowlevel.checkpoint()


async def test_a_ruff_that_fails_is_a_failure_and_no_clean_bill(
    ask: Any, write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("app.py", "print('hello')\n")
    monkeypatch.setattr(ruff, "_program", lambda: "/bin/false")
    with pytest.raises(StepFailed, match="ruff failed") as failed:
        await ask(kind="review", aspect="security")
    assert failed.value.reason == "crashed"
