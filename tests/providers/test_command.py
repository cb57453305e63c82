"""Any program as a provider: real children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed, UsageError
from engine.providers import command_output
from engine.providers.base import Progress, ProviderContext, Question
from engine.providers.command import build
from engine.step import Usage

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")]


def provider(tmp_path: Path, *command: str, **options: Any):
    return build(
        ProviderContext(
            name="tool",
            options={"command": list(command), **options},
            workspace=tmp_path,
            cache_folder=tmp_path,
            environment=dict(os.environ),
        )
    )


async def ask(
    tmp_path: Path,
    *command: str,
    prompt: str = "do it",
    question: dict[str, Any] | None = None,
    **options: Any,
):
    progress: list[Progress] = []
    asked = Question(prompt=prompt, workspace=tmp_path, **(question or {}))
    return await provider(tmp_path, *command, **options).ask(asked, progress.append)


async def test_the_prompt_goes_in_on_standard_input_byte_for_byte(tmp_path: Path):
    prompt = "/clear @file \x1b[0m $(id) `id` 'quotes' \"double\" é\r\n" + "x" * 400_000
    answer = await ask(tmp_path, "cat", prompt=prompt)
    assert answer.value == prompt.strip().replace("\r\n", "\r\n")
    assert answer.usage == Usage()


async def test_variables_are_arguments_never_shell_words(tmp_path: Path):
    answer = await ask(
        tmp_path,
        "printf",
        "%s|",
        "{model}",
        "-p={prompt}",
        prompt="$(touch canary); {model} `x`",
        question={"model": "m"},
    )
    assert answer.value == "m|-p=$(touch canary); {model} `x`|"
    assert not (tmp_path / "canary").exists()


async def test_what_the_step_asks_for_is_passed(tmp_path: Path):
    wishes = {"model": "m", "effort": "high", "agent_type": "critic", "max_tool_calls": 0}
    template = ("printf", "%s|", "{model}", "{effort}", "{agent_type}", "{max_tool_calls}")
    assert (await ask(tmp_path, *template, question=wishes)).value == "m|high|critic|0|"
    assert (await ask(tmp_path, *template, model="d", effort="low")).value == "d|low|||"


@pytest.mark.parametrize(
    ("name", "value"), [("model", "m"), ("effort", "high"), ("agent_type", "critic"), ("max_tool_calls", 0)]
)
async def test_what_the_program_would_never_hear_of_is_unsupported(tmp_path: Path, name: str, value: Any):
    with pytest.raises(StepFailed, match=f"cannot be told the option '{name}'") as caught:
        await ask(tmp_path, "cat", question={name: value})
    assert caught.value.reason == "unsupported"
    assert f"{{{name}}}" in str(caught.value.hint)


async def test_a_prompt_file_holds_the_prompt_and_goes_away(tmp_path: Path):
    answer = await ask(tmp_path, "sh", "-c", 'echo "$0"; cat "$0"', "{prompt_file}", prompt="in a file")
    path, _, text = answer.value.partition("\n")
    assert text == "in a file"
    assert not Path(path).exists()


async def test_json_output_with_paths_to_answer_and_usage(tmp_path: Path):
    document = {"result": {"messages": [{"text": "first"}, {"text": "last"}]}, "tokens": {"in": 5, "out": 2}}
    answer = await ask(
        tmp_path, "echo", json.dumps(document),
        output="json", answer="result.messages.-1.text",
        usage={"input_tokens": "tokens.in", "output_tokens": "tokens.out"},
    )  # fmt: skip
    assert (answer.value, answer.usage) == ("last", Usage(input_tokens=5, output_tokens=2))


async def test_json_lines_take_the_last_answer_and_pass_over_notices(tmp_path: Path):
    lines = ['{"text": "one"}', "warning: not json", '{"text": "two"}', '{"usage": {"cost": 0.5}}']
    answer = await ask(
        tmp_path, "printf", "%s\\n", *lines, output="jsonl", answer="text", usage={"cost": "usage.cost"}
    )
    assert (answer.value, answer.usage.cost) == ("two", 0.5)


@pytest.mark.parametrize(
    ("command", "options", "reason", "said"),
    [
        (("sh", "-c", "echo bad >&2; exit 3"), {}, "crashed", "exit code 3: bad"),
        (("true",), {}, "bad_output", "answered nothing"),
        (("echo", "{broken"), {"output": "json"}, "bad_output", "not JSON"),
        (("echo", '{"other": 1}'), {"output": "jsonl", "answer": "text"}, "bad_output", "answered nothing"),
        (("no-such-program-anywhere",), {}, "not_found", "not on the PATH"),
    ],
)
async def test_failures_have_their_reason(tmp_path: Path, command: Any, options: Any, reason: str, said: str):
    with pytest.raises(StepFailed, match=said) as caught:
        await ask(tmp_path, *command, **options)
    assert caught.value.reason == reason


async def test_silence_and_deadlines_have_their_reason(tmp_path: Path):
    for limits, reason in (({"stall_timeout": 0.1}, "stalled"), ({"timeout": 0.1}, "timeout")):
        with pytest.raises(StepFailed) as caught:
            await ask(tmp_path, "sleep", "60", question=limits)
        assert caught.value.reason == reason


async def test_more_access_than_the_user_vouched_for_is_refused(tmp_path: Path):
    with pytest.raises(StepFailed, match="not trusted with 'write'") as caught:
        await ask(tmp_path, "cat", question={"access": "write"})
    assert caught.value.reason == "unsupported"
    assert (
        await ask(tmp_path, "cat", question={"access": "write"}, access=["read", "write"])
    ).value == "do it"


async def test_a_schema_is_asked_for_in_the_prompt(tmp_path: Path):
    answer = await ask(tmp_path, "cat", question={"schema": {"type": "integer"}})
    assert '{"type":"integer"}' in answer.value


async def test_what_it_printed_is_kept_whole(tmp_path: Path):
    raw = tmp_path / "steps" / "1.raw"
    await ask(tmp_path, "printf", "1\\nnoise\\n", output="jsonl", question={"raw": raw})
    assert raw.read_bytes() == b"1\nnoise\n"


async def test_text_that_did_not_become_an_answer_is_kept_as_well(tmp_path: Path):
    raw = tmp_path / "steps" / "1.raw"
    await ask(tmp_path, "echo", "fine", question={"raw": raw})
    assert not raw.exists()
    with pytest.raises(StepFailed):
        await ask(tmp_path, "sh", "-c", "echo half; exit 1", question={"raw": raw})
    assert raw.read_bytes() == b"half\n"


async def test_it_sees_only_the_environment_it_was_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_SECRET", "s")
    monkeypatch.setenv("TOOL_KEY", "k")
    answer = await ask(tmp_path, "env", environment=["TOOL_KEY"])
    assert "TOOL_KEY=k" in answer.value
    assert "API_SECRET" not in answer.value


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"command": []}, "command"),
        ({"command": ["x"], "outptu": "text"}, "outptu"),
        ({"command": ["x"], "answer": "a..b"}, "answer"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, options: Any, place: str):
    with pytest.raises(UsageError) as caught:
        build(ProviderContext(name="tool", options=options, workspace=tmp_path, cache_folder=tmp_path))
    assert str(caught.value.where).startswith(place)
    assert "[providers.tool]" in str(caught.value)


def test_readiness_looks_for_the_program_on_the_childs_path(tmp_path: Path):
    assert provider(tmp_path, "cat").readiness().ready
    missing = provider(tmp_path, "no-such-program-anywhere").readiness()
    assert (missing.ready, missing.why) == (False, "no-such-program-anywhere is not on the PATH")


@pytest.mark.parametrize("said", ["1e400", "NaN", "-7", "7.5", "true", '"7"', "9" * 400, "null", "[1]"])
async def test_a_number_that_cannot_be_one_measured_nothing(tmp_path: Path, said: str):
    usage = {"input_tokens": "in", "output_tokens": "out", "cost": "cost"}
    prompt = f'{{"text": "yes", "in": {said}, "out": 3.0, "cost": {said}}}'
    answer = await ask(tmp_path, "cat", prompt=prompt, output="json", answer="text", usage=usage)
    cost = 7.5 if said == "7.5" else None
    assert (answer.value, answer.usage) == ("yes", Usage(output_tokens=3, cost=cost))


@pytest.mark.parametrize("output", ["text", "json"])
async def test_a_flood_is_cut_off(tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command_output, "MAXIMUM_OUTPUT", 100_000)
    with pytest.raises(StepFailed, match="it printed more than") as caught:
        await ask(tmp_path, "yes", output=output)
    assert caught.value.reason == "bad_output"


async def test_a_failure_that_printed_nothing_leaves_no_file(tmp_path: Path):
    raw = tmp_path / "steps" / "1.raw"
    with pytest.raises(StepFailed):
        await ask(tmp_path, "false", question={"raw": raw})
    assert not raw.exists()


MEASURE = """
import resource, sys
from pathlib import Path
import anyio
from engine.providers.base import ProviderContext, Question
from engine.providers.command import build
import engine.schema

folder, program, output = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
table = {"command": ["/bin/sh", "-c", program], "output": output}
provider = build(ProviderContext(name="t", options=table, workspace=folder, cache_folder=folder, environment={}))

def size(program_size):
    async def go():
        question = Question(prompt=str(program_size), workspace=folder, raw=folder / "raw")
        return len((await provider.ask(question, lambda progress: None)).value)
    return anyio.run(go)

size(10_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answer = size(20_000_000)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(answer, (after - before) * 1024 / answer)
"""
LETTERS = "read size; head -c $size /dev/zero | tr '\\0' "
PRINTING = {
    "one line": ("text", f"{LETTERS} x"),
    "short lines": ("text", "read size; yes 'a line as people write them, with some words' | head -c $size"),
    "JSON": ("json", f"printf '\"'; {LETTERS} x; printf '\"'"),
    "a JSON line": ("jsonl", f"printf '\"'; {LETTERS} x; echo '\"'"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in kilobytes, as Linux does")
@pytest.mark.parametrize("way", PRINTING)
def test_a_huge_answer_takes_at_most_four_times_its_size(tmp_path: Path, way: str):
    output, program = PRINTING[way]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path), program, output],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    size, times = done.stdout.split()
    assert int(size) in (20_000_000, 19_999_999)
    assert float(times) <= 4
