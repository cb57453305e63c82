"""`mco run --prompt`: one prompt to several providers."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.console import Mco
from tests.cli.panel import seat

PAIR = ("--providers", "ann,bob")


def test_every_answer_is_given_in_the_order_of_the_providers(mco: Mco) -> None:
    seat(ann={"reply": "It is a shop."}, bob={"reply": "It sells books."})
    output = mco("run", "--prompt", "What is this?", *PAIR)

    assert output.code == 0
    assert output.stdout == "# ann\n\nIt is a shop.\n\n# bob\n\nIt sells books.\n"


def test_a_single_answer_is_given_as_it_is(mco: Mco) -> None:
    seat(ann={"reply": "It is a shop."})
    assert mco("run", "--prompt", "What is this?", "--providers", "ann").stdout == "It is a shop.\n"


def test_who_fails_stops_nobody_and_the_run_is_partial(mco: Mco) -> None:
    seat(ann={"fail": "auth", "message": "no key"}, bob={"reply": "Yes."})
    output = mco("run", "--prompt", "Is it?", *PAIR, "--json")

    assert output.code == 3
    assert json.loads(output.stdout)["result"]["answers"] == [
        {"provider": "ann", "ok": False, "output": None, "error": {"reason": "auth", "message": "no key"}},
        {"provider": "bob", "ok": True, "output": "Yes.", "error": None},
    ]


def test_when_nobody_answers_the_run_fails(mco: Mco) -> None:
    seat(ann={"fail": "auth"}, bob={"fail": "network"})
    output = mco("run", "--prompt", "Is it?", *PAIR)

    assert (output.code, output.stdout) == (1, "")
    assert "no provider answered" in output.stderr


def test_a_bare_prompt_goes_out_as_it_is_and_a_scope_is_added(mco: Mco, project: Path) -> None:
    (project / "src").mkdir()
    seat(ann={"match": "nothing"})

    assert mco("run", "--prompt", "Hm?", "--providers", "ann").stdout == "echo:Hm?\n"
    assert mco("run", "--prompt", "Hm?", "--providers", "ann", "--allow-paths", "src").stdout == (
        "echo:Hm?\n\nIt is about: `src`\nLook at nothing but: `src`\n"
    )


def test_the_prompt_comes_from_stdin_or_from_a_file(
    mco: Mco, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat(ann={"match": "nothing"})
    (project / "ask.txt").write_text("from a file", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"from stdin"), isatty=lambda: False))

    assert mco("run", "--prompt", "-", "--providers", "ann").stdout == "echo:from stdin\n"
    assert mco("run", "--prompt-file", "ask.txt", "--providers", "ann").stdout == "echo:from a file\n"


def test_answers_are_kept_as_a_tree_where_a_place_is_named(mco: Mco, project: Path) -> None:
    seat(ann={"reply": "Yes."}, bob={"fail": "auth"})
    mco("run", "--prompt", "Is it?", *PAIR)
    assert not (project / ".mco" / "reviews").exists()

    mco("run", "--prompt", "Is it?", *PAIR, "--artifact-base", "out", "--task-id", "t")
    tree = project / "out" / "t"
    assert sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()) == [
        "providers/ann.json",
        "providers/bob.json",
        "run.json",
        "summary.md",
    ]
    assert json.loads((tree / "providers" / "ann.json").read_bytes())["output"] == "Yes."
    assert json.loads((tree / "run.json").read_bytes())["kind"] == "ask"


def test_access_that_is_given_for_a_prompt_is_what_it_is_asked_with(mco: Mco, project: Path) -> None:
    seat(ann={"reply": "Done."})
    options = ("--prompt", "Do it.", "--providers", "ann", "--artifact-base", "out")
    mco("run", *options, "--task-id", "reads")
    mco("run", *options, "--task-id", "writes", "--access", "write")

    asked = [json.loads((project / "out" / name / "run.json").read_bytes()) for name in ("reads", "writes")]
    assert [facts["permissions"]["ann"]["access"] for facts in asked] == ["read", "write"]


def test_several_may_not_change_the_same_files_at_once(mco: Mco) -> None:
    seat(ann={"reply": "Done."}, bob={"reply": "Done."})
    output = mco("run", "--prompt", "Do it.", *PAIR, "--access", "write")

    assert output.code == 2
    assert "ann and bob would change the same files at the same time" in output.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hello.py", "--prompt", "Hm?"], "'hello.py' and --prompt both say what to run"),
        (["--prompt", "Hm?", "-a", "x=1"], "-a and --args-file are for a workflow"),
        (["hello.py", "--providers", "ann"], "--providers goes with --prompt, not with a workflow"),
        (["hello.py", "--stall-timeout", "3"], "--stall-timeout goes with --prompt, not with a workflow"),
        ([], "there is nothing to run"),
        (["--prompt", "Hm?", "--watch"], "--watch waits for a script to be saved"),
        (["--prompt", "Hm?", "--providers", "fake", "--format", "sarif"], "are no findings"),
    ],
)
def test_a_prompt_and_a_workflow_are_told_apart(
    mco: Mco, hello: Path, arguments: list[str], words: str
) -> None:
    output = mco("run", *arguments)

    assert output.code == 2
    assert words in output.stderr


def test_the_help_lists_what_goes_with_a_prompt_apart(mco: Mco) -> None:
    usage, _, prompt = mco("run", "--help").stdout.partition("A prompt to several providers:")

    assert "--args-file" in usage
    assert "--providers" not in usage.partition("Options:")[2]
    assert "--providers" in prompt


def test_a_prompt_is_not_even_sent_where_nobody_reads_prompts(mco: Mco, project: Path) -> None:
    output = mco("run", "--prompt", "Hm?", "--providers", "builtin")

    assert output.code == 4
    assert "builtin cannot answer a prompt" in output.stderr
    assert not (project / ".mco" / "runs").exists()


def test_a_dry_run_leaves_no_artifacts(mco: Mco, project: Path) -> None:
    seat(ann={"reply": "Yes."})
    mco("run", "--prompt", "Hm?", "--providers", "ann", "--artifact-base", "out", "--dry-run")

    assert not (project / "out").exists()
