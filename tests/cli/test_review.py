"""`mco review`: who is asked, what is decided, what is written, and with which exit code it ends."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.step import canonical, digest_of
from tests.cli.console import Mco, Said
from tests.cli.panel import finding, said, seat

PAIR = ("--providers", "ann,bob")


def result_of(output: Said) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(output.stdout)
    return document


@pytest.fixture(autouse=True)
def code(project: Path) -> None:
    (project / "app.py").write_text("def last(items):\n    return items[len(items)]\n", encoding="utf-8")


WELL, PROSE, NOBODY = {"reply": said()}, {"reply": "All is well."}, {"fail": "auth"}
LITTLE = {"reply": said(finding())}
HIGH = {"reply": said(finding(severity="high"))}
CRITICAL = {"reply": said(finding(severity="critical", title="Other"))}


@pytest.mark.parametrize(
    ("panel", "options", "decision", "code"),
    [
        ((WELL, WELL), [], "PASS", 0),
        ((LITTLE, WELL), [], "PASS", 0),
        ((HIGH, WELL), [], "ESCALATE", 1),
        ((HIGH, CRITICAL), [], "FAIL", 1),
        ((CRITICAL, NOBODY), [], "FAIL", 1),
        ((HIGH, NOBODY), [], "ESCALATE", 1),
        ((LITTLE, NOBODY), [], "PARTIAL", 3),
        ((PROSE, WELL), [], "PARTIAL", 3),
        ((PROSE, NOBODY), [], "FAIL", 1),
        ((WELL, WELL), ["--strict-contract"], "PASS", 0),
        ((WELL, NOBODY), ["--strict-contract"], "PARTIAL", 3),
        ((PROSE, NOBODY), ["--strict-contract"], "INCONCLUSIVE", 3),
        ((CRITICAL, NOBODY), ["--strict-contract"], "FAIL", 1),
    ],
)
def test_the_first_rule_that_applies_decides(
    mco: Mco, panel: tuple[dict[str, Any], ...], options: list[str], decision: str, code: int
) -> None:
    seat(ann=panel[0], bob=panel[1])
    output = mco("review", *PAIR, "--json", *options)

    assert (result_of(output)["result"]["decision"], output.code) == (decision, code)


def test_under_a_strict_contract_a_finding_must_have_all_its_fields(mco: Mco) -> None:
    bare = json.dumps({"findings": [{"severity": "low", "title": "Something"}]})
    seat(ann={"reply": bare}, bob={"reply": said()})

    lenient, strict = mco("review", *PAIR, "--json"), mco("review", *PAIR, "--json", "--strict-contract")

    assert [each["title"] for each in result_of(lenient)["result"]["findings"]] == ["Something"]
    assert result_of(strict)["result"]["decision"] == "PARTIAL"
    assert result_of(strict)["result"]["reviews"][0]["error"]["reason"] == "bad_output"


def test_findings_are_merged_and_say_who_found_them(mco: Mco) -> None:
    seat(
        ann={"reply": said(finding(), finding(title="Only here", severity="low"))},
        bob={"reply": said(finding(title="off BY  one", severity="high", confidence=0.9))},
    )
    findings = result_of(mco("review", *PAIR, "--json"))["result"]["findings"]

    shown = [
        (each["title"], each["severity"], each["confidence"], each["detected_by"], each["agreement"])
        for each in findings
    ]
    assert shown == [
        ("Off by one", "high", 0.9, ["ann", "bob"], 1.0),
        ("Only here", "low", 0.5, ["ann"], 0.5),
    ]
    assert findings[0]["evidence"] == {
        "file": "app.py",
        "line": 2,
        "column": None,
        "symbol": "last",
        "snippet": "return items[len(items)]",
    }
    assert len(findings[0]["fingerprint"]) == 64
    assert findings[0]["fingerprint"].startswith(findings[0]["id"])


def test_the_document_has_what_every_run_has_and_where_the_artifacts_are(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said()}, bob={"reply": said()})
    document = result_of(mco("review", *PAIR, "--json", "--task-id", "pr-7"))

    assert list(document) == [
        *("run_id", "workflow", "status", "result", "error", "steps", "usage", "seconds", "folder"),
        *("decision", "task_id", "artifacts"),
    ]
    assert list(document["result"]) == ["decision", "reason", "report", "findings", "counts", "reviews"]
    assert (document["workflow"], document["task_id"]) == ("review", "pr-7")
    assert document["artifacts"] == str(project / ".mco" / "reviews" / "pr-7")


def test_the_tree_is_written_to_the_byte(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said(finding()), "usage": {}}, bob={"fail": "auth", "message": "no key"})
    output = mco("review", *PAIR, "--task-id", "pr-7", "--prompt", "Look.", "--target-paths", "app.py")

    tree = project / ".mco" / "reviews" / "pr-7"
    assert sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()) == [
        "decision.md",
        "findings.json",
        "providers/ann.json",
        "providers/bob.json",
        "run.json",
        "summary.md",
    ]
    facts = json.loads((tree / "run.json").read_bytes())
    run = facts["run_id"]
    assert (tree / "decision.md").read_bytes().decode() == (
        "# PARTIAL\n\n1 provider of 2 gave no review: bob\n\n"
        "Findings: 0 critical, 0 high, 1 medium, 0 low, 0 info\n\n"
        f"Task `pr-7`, run `{run}`, partial.\n"
    )
    assert (tree / "summary.md").read_bytes().decode() == (
        "# Review: PARTIAL\n\n1 provider of 2 gave no review: bob.\n\n**1 finding** in `app.py`.\n\n"
        "| Provider | Review |\n|---|---|\n| ann | Looked at it. |\n| bob | failed (auth): no key |\n\n"
        "## Medium\n\n**Off by one** — `app.py:2`\n\n```\nreturn items[len(items)]\n```\n\n"
        "Take len(items) - 1. *(bug, found by ann)*\n\n---\n\n"
        f"Task `pr-7`, run `{run}`, partial.\n"
    )
    found = json.loads((tree / "findings.json").read_bytes())
    assert found["task_id"] == "pr-7"
    assert [each["title"] for each in found["findings"]] == ["Off by one"]
    assert facts["made_by"] == "mco"
    assert (facts["kind"], facts["decision"], facts["status"]) == ("review", "PARTIAL", "partial")
    assert facts["workspace"] == str(project)
    assert facts["permissions"] == {"ann": {"access": "read"}, "bob": {"access": "read"}}
    assert facts["hashes"] == {
        "prompt": digest_of(canonical("Look.")),
        "target_paths": digest_of(canonical(["app.py"])),
        "allow_paths": digest_of(canonical(["."])),
        "permissions": digest_of(canonical(facts["permissions"])),
    }
    assert [(each["provider"], each["ok"], each["reason"]) for each in facts["providers"]] == [
        ("ann", True, None),
        ("bob", False, "auth"),
    ]
    assert facts["settings"]["enforcement_mode"] == "strict"
    assert "wrote .mco/reviews/pr-7\n" in output.stderr


def test_only_who_failed_is_asked_again(mco: Mco) -> None:
    seat(ann={"reply": said()}, bob={"fail": "auth"})
    mco("review", *PAIR)
    seat(ann={"fail": "crashed"}, bob={"reply": said()})
    document = result_of(mco("review", *PAIR, "--json"))

    assert document["result"]["decision"] == "PASS"
    assert (document["steps"]["reused"], document["steps"]["finished"]) == (1, 1)


def test_the_artifacts_leave_the_workspace_as_it_is_for_the_next_run(mco: Mco) -> None:
    seat(ann={"reply": said()}, bob={"reply": said()})
    mco("review", *PAIR)

    assert result_of(mco("review", *PAIR, "--json"))["steps"]["reused"] == 2


@pytest.mark.parametrize(
    ("mode", "stdout", "written"),
    [
        ("stdout", "# Review: PASS", False),
        ("both", "# Review: PASS", True),
        ("artifact", "decision: PASS", True),
    ],
)
def test_the_result_goes_where_it_was_asked_for(
    mco: Mco, project: Path, mode: str, stdout: str, written: bool
) -> None:
    seat(ann={"reply": said()}, bob={"reply": said()})
    output = mco("review", *PAIR, "--result-mode", mode, "--task-id", "t")

    assert output.stdout.startswith(f"{stdout}\n")
    assert (project / ".mco" / "reviews" / "t").exists() == written


def test_the_same_task_again_replaces_its_tree_and_says_so(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said(finding())}, bob={"fail": "auth"})
    mco("review", *PAIR, "--task-id", "t", "--artifact-base", "out")
    seat(ann={"reply": said()}, bob={"reply": said()})
    output = mco("review", "--providers", "ann", "--task-id", "t", "--artifact-base", "out", "--fresh")

    assert "replaced out/t\n" in output.stderr
    assert sorted(path.name for path in (project / "out" / "t" / "providers").iterdir()) == ["ann.json"]
    assert [path.name for path in (project / "out").iterdir()] == ["t"]


def test_what_somebody_else_left_there_is_never_replaced_and_nothing_is_asked(
    mco: Mco, project: Path
) -> None:
    seat(ann={"reply": said()})
    mine = project / "out" / "t" / "notes.md"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    output = mco("review", "--providers", "ann", "--task-id", "t", "--artifact-base", "out")

    assert output.code == 2
    assert "holds something else already" in output.stderr
    assert "notes.md is not mco's" in output.stderr
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (project / ".mco" / "runs").exists()


def test_a_link_of_the_repository_does_not_lead_the_artifacts_out_of_it(
    mco: Mco, project: Path, tmp_path: Path
) -> None:
    seat(ann={"reply": said()})
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "reports").symlink_to(outside)
    output = mco("review", "--providers", "ann", "--artifact-base", "reports/review")

    assert (output.code, list(outside.iterdir())) == (2, [])
    assert "leaves the workspace through a link" in output.stderr


def test_artifacts_that_cannot_be_written_cost_the_exit_code_and_not_the_review(
    mco: Mco, project: Path
) -> None:
    seat(ann={"reply": said()})
    (project / "out").write_text("a file", encoding="utf-8")
    output = mco("review", "--providers", "ann", "--artifact-base", "out", "--json")

    document = result_of(output)
    assert (output.code, document["decision"], document["artifacts"]) == (1, "PASS", None)
    assert "the artifacts cannot be written" in output.stderr


def test_what_a_model_says_steers_neither_a_terminal_nor_a_page_nor_a_path(mco: Mco, project: Path) -> None:
    hostile = finding(
        title="\x1b]0;owned\x07[x](javascript:1) <script>|",
        file="../../etc/passwd\n# heading",
        category="\u202ebug",
        recommendation="\x1b[2J| row |\n## More",
        snippet="```\n\x9b31m",
    )
    seat(
        ann={"reply": said(hostile, summary="a | b\n\n# c <img>")},
        bob={"fail": "auth", "message": "\x1b[31m|"},
    )
    output = mco("review", *PAIR, "--task-id", "t")

    tree = project / ".mco" / "reviews" / "t"
    files = [path for path in tree.rglob("*") if path.is_file()]
    assert len(files) == 6
    for text in [output.stdout, output.stderr, *(path.read_text(encoding="utf-8") for path in files)]:
        assert not set("\x1b\x9b\x07\u202e") & set(text)
    summary = (tree / "summary.md").read_text(encoding="utf-8")
    assert "<script>" not in summary.replace("\\<script", "")
    assert "\n# heading" not in summary
    assert "\n## More" not in summary
    assert [line for line in summary.splitlines() if line.startswith("| ann")] == [
        "| ann | a \\| b \\# c \\<img\\> |"
    ]


def test_providers_with_odd_names_get_files_with_plain_ones(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said()})
    mco("review", "--providers", "ann,ann:org/../../model,ann:B", "--task-id", "t")

    names = [path.name for path in (project / ".mco" / "reviews" / "t" / "providers").iterdir()]
    assert len(names) == 3
    assert all(name.replace("-", "").removesuffix(".json").isalnum() for name in names)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--providers", "an"], "there is no provider 'an'"),
        (["--providers", ","], "--providers names nobody"),
        (["--providers", "a b"], "'a b' is no provider"),
        (["--providers", "ann", "--provider", "ann"], "--provider and --providers both say who is asked"),
        (["--provider-timeouts", "ann=soon"], "'ann=soon' is no timeout"),
        (["--provider-timeouts", "bob=3"], "--provider-timeouts names 'bob', who is not asked"),
        (["--provider-permissions-json", "{"], "it is not JSON"),
        (["--provider-permissions-json", '{"bob": {}}'], "names 'bob', who is not asked"),
        (["--provider-permissions-json", '{"ann": {"access": "write"}}'], "allow it with --access write"),
        (["--provider-permissions-json", '{"ann": {"sandbox": "x"}}'], 'no permission {"sandbox": "x"}'),
        (["--task-id", "../x"], "'../x' is no task id"),
        (["--task-id", ".."], "'..' is no task id"),
        (["--prompt", " "], "the prompt is empty"),
        (["--prompt", "x", "--prompt-file", "y"], "--prompt and --prompt-file both say what is asked"),
        (["--prompt-file", "missing"], "the prompt cannot be read"),
        (["--target-paths", "missing"], "--target-paths: the target 'missing' does not exist"),
        (["--target-paths", "/etc"], "leaves the workspace"),
        (["--allow-paths", "lib", "--target-paths", "app.py"], "is not in the allowed paths"),
        (["--max-parallel", "2", "--max-provider-parallelism", "2"], "mean the same here"),
    ],
)
def test_a_mistake_is_told_before_anything_is_asked(
    mco: Mco, project: Path, options: list[str], words: str
) -> None:
    seat(ann={"reply": said()})
    (project / "lib").mkdir()
    named = [] if "--providers" in options else ["--providers", "ann"]
    output = mco("review", *named, *options)

    assert (output.code, output.stdout) == (2, "")
    assert words in output.stderr
    assert not (project / ".mco" / "runs").exists()


def test_a_path_that_leaves_by_a_link_is_refused(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said()})
    (project / "up").symlink_to("..")
    output = mco("review", "--providers", "ann", "--allow-paths", "up")

    assert output.code == 2
    assert "leaves the workspace" in output.stderr


def test_nobody_ready_is_told_with_its_own_exit_code(mco: Mco) -> None:
    output = mco("review", "--providers", "claude,codex", "--json", environment={"PATH": "/nowhere"})

    assert (output.code, result_of(output)["status"]) == (4, "no_provider")
    assert "claude: claude is not on the PATH; codex:" in output.stderr


def test_who_is_not_ready_is_missing_and_the_others_go_on(mco: Mco) -> None:
    seat(ann={"reply": said()})
    output = mco("review", "--providers", "ann,claude", "--json", environment={"PATH": "/nowhere"})

    assert (output.code, result_of(output)["result"]["decision"]) == (3, "PARTIAL")


def test_a_project_cannot_put_its_own_workflow_in_the_place_of_the_catalogs(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said(finding(severity="critical"))})
    mine = project / ".mco" / "workflows" / "review.py"
    mine.parent.mkdir(parents=True)
    mine.write_text(
        'meta = {"name": "review", "description": "says yes"}\n\n'
        'async def main(args):\n    return {"decision": "PASS", "findings": []}\n',
        encoding="utf-8",
    )
    output = mco("review", "--providers", "ann", "--json")

    assert (output.code, result_of(output)["result"]["decision"]) == (1, "FAIL")


def test_a_ceiling_is_a_ceiling_and_an_old_tree_is_not_taken_for_a_new_one(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said(), "usage": {"input_tokens": 900}}, bob={"reply": said()})
    options = ("review", *PAIR, "--task-id", "t", "--max-provider-parallelism", "1")
    mco(*options)
    output = mco(*options, "--fresh", "--budget", "500")

    assert output.code == 5
    assert "warning: .mco/reviews/t is of an earlier run: this one wrote nothing there" in output.stderr


def test_without_a_model_static_analysis_reviews_and_says_so(mco: Mco, project: Path) -> None:
    (project / "app.py").write_text("def add(item, seen=[]):\n    seen.append(item)\n", encoding="utf-8")
    output = mco("review", "--providers", "builtin", "--task-id", "t")

    assert output.code == 1
    assert "# Review: ESCALATE" in output.stdout
    assert "No language model was used" in output.stdout
    assert "`app.py:1`" in output.stdout
    assert (project / ".mco" / "reviews" / "t" / "providers" / "builtin.json").exists()


def test_what_static_analysis_cannot_review_is_named(mco: Mco, project: Path) -> None:
    (project / "docs").mkdir()
    (project / "docs" / "page.md").write_text("words", encoding="utf-8")
    output = mco("review", "--providers", "builtin", "--target-paths", "app.py,docs")

    assert output.code == 3
    assert "# Review: PARTIAL" in output.stdout
    assert "no Python files in target 'docs'" in output.stdout


def test_what_a_program_printed_is_kept_attempt_by_attempt(mco: Mco, project: Path, tmp_path: Path) -> None:
    program, again = tmp_path / "agent.sh", tmp_path / "again"
    program.write_text(
        f"#!/bin/sh\ncat > /dev/null\nif [ -e '{again}' ]; then echo '{said()}'; exit; fi\n"
        f"touch '{again}'\necho '{{\"n\": 1}}'\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    seat()
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "mco" / "config.toml"
    settings.write_text(
        f'[providers.mine]\ncommand = [{json.dumps(str(program))}]\noutput = "json"\n', encoding="utf-8"
    )
    output = mco("review", "--providers", "mine", "--task-id", "t")

    tree = project / ".mco" / "reviews" / "t"
    assert output.code == 0
    assert (tree / "raw" / "mine.log").read_text(encoding="utf-8") == '{"n": 1}\n' + said() + "\n"
    assert json.loads((tree / "providers" / "mine.json").read_bytes())["attempts"] == 2


def test_a_program_that_may_not_be_held_to_reading_is_refused_or_warned_of(mco: Mco, project: Path) -> None:
    seat()
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "mco" / "config.toml"
    settings.write_text('[providers.mine]\ncommand = ["cat"]\naccess = ["write"]\n', encoding="utf-8")
    strict = mco("review", "--providers", "mine", "--access", "write")
    lenient = mco(
        "review", "--providers", "mine", "--access", "write", "--enforcement-mode", "best_effort", "--json"
    )

    assert strict.code == 2
    assert "mine cannot be held to 'read' access (it can to: write)" in strict.stderr
    assert "warning: mine cannot be held to 'read' access" in lenient.stderr
    assert "asked with: mine write\n" in lenient.stderr
    assert result_of(lenient)["result"]["decision"] == "FAIL"  # `cat` gives no review
    assert json.loads((Path(result_of(lenient)["artifacts"]) / "run.json").read_bytes())["permissions"] == {
        "mine": {"access": "write"}
    }


def test_best_effort_never_goes_beyond_the_ceiling(mco: Mco) -> None:
    seat()
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "mco" / "config.toml"
    settings.write_text('[providers.mine]\ncommand = ["cat"]\naccess = ["full"]\n', encoding="utf-8")
    document = result_of(mco("review", "--providers", "mine", "--enforcement-mode", "best_effort", "--json"))

    assert document["result"]["reviews"][0]["error"]["reason"] == "unsupported"


def test_times_and_numbers_reach_the_run(mco: Mco, project: Path) -> None:
    seat(ann={"reply": said()}, bob={"reply": said()})
    times = ("--provider-timeouts", "bob=120", "--stall-timeout", "60", "--review-hard-timeout", "300")
    document = result_of(mco("review", *PAIR, *times, "--max-provider-parallelism", "1", "--json"))

    facts = json.loads((Path(document["folder"]) / "run.json").read_bytes())
    assert facts["args"]["providers"] == [
        {"name": "ann", "access": "read"},
        {"name": "bob", "stall_timeout": 120.0, "access": "read"},
    ]
    assert (facts["args"]["timeout"], facts["args"]["stall_timeout"]) == (300.0, 60.0)
    assert facts["settings"]["max_parallel"] == 1


@pytest.mark.parametrize(
    ("options", "settings", "seconds"),
    [([], "", 1800.0), (["--review-hard-timeout", "0"], "", 604800.0), ([], "timeout = 60\n", None)],
)
def test_a_review_ends_after_half_an_hour_unless_somebody_says_otherwise(
    mco: Mco, options: list[str], settings: str, seconds: float | None
) -> None:
    seat(ann={"reply": said()})
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "mco" / "config.toml"
    path.write_text(settings + path.read_text(encoding="utf-8"), encoding="utf-8")
    document = result_of(mco("review", "--providers", "ann", "--json", *options))

    facts = json.loads((Path(document["folder"]) / "run.json").read_bytes())
    assert facts["args"].get("timeout") == seconds


def test_without_names_the_one_is_asked_who_is_asked_by_default(mco: Mco) -> None:
    seat(ann={"reply": said()})
    for options in ([], ["--provider", "builtin"]):
        reviews = result_of(mco("review", "--json", *options))["result"]["reviews"]
        assert [each["provider"] for each in reviews] == (["builtin"] if options else ["ann"])


def test_the_events_of_a_review_can_be_streamed(mco: Mco) -> None:
    seat(ann={"reply": said()})
    events = [
        json.loads(line)
        for line in mco("review", "--providers", "ann", "--stream", "jsonl").stdout.splitlines()
    ]

    assert (events[0]["kind"], events[-1]["kind"]) == ("RunStarted", "RunFinished")


def test_findings_leave_as_sarif(mco: Mco) -> None:
    seat(ann={"reply": said(finding())})
    output = mco("review", "--providers", "ann", "--format", "sarif")

    (run,) = json.loads(output.stdout)["runs"]
    assert [each["message"]["text"].splitlines()[0] for each in run["results"]] == ["Off by one"]


def test_a_review_that_is_taken_up_again_ends_with_its_decision(mco: Mco) -> None:
    seat(ann=HIGH, bob=WELL)
    assert mco("review", *PAIR).code == 1
    output = mco("resume", "last", "--json")

    assert (result_of(output)["decision"], output.code) == ("ESCALATE", 1)
    assert "`mco review` with the same options writes the artifacts" in output.stderr
