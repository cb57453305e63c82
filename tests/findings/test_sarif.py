"""SARIF is checked against the schema that OASIS publishes, and against what services make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import jsonschema_rs
import pytest
from hypothesis import given

from engine.errors import NoFindings
from tests.findings.hostile import results
from tests.findings.test_finding import HERE, PLAIN
from workflows.findings.about import About
from workflows.findings.formats import write_findings
from workflows.findings.sarif import SCHEMA

ABOUT = About("20261121-110457-3f9a", "review", "done", "1.2.3")
OFFICIAL = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
CHECK = jsonschema_rs.Draft4Validator(OFFICIAL, validate_formats=True)


def log_of(result: Any, about: About = ABOUT) -> dict[str, Any]:
    log = json.loads(write_findings("sarif", result, about, HERE))
    CHECK.validate(log)
    return log


def run_of(*entries: Any, about: About = ABOUT, **result: Any) -> dict[str, Any]:
    (run,) = log_of({"findings": list(entries), **result}, about)["runs"]
    return run


def place_of(**changes: Any) -> dict[str, Any]:
    (result,) = run_of({**PLAIN, **changes})["results"]
    (location,) = result["locations"]
    return location


def test_the_schema_is_the_one_that_the_documents_name() -> None:
    assert OFFICIAL["id"] == SCHEMA
    assert not CHECK.is_valid({"version": "2.1.0", "runs": [{"results": []}]})


@given(results)
def test_whatever_was_found_the_document_is_valid(result: Any) -> None:
    run = log_of(result)["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for each in run["results"]:
        assert rules[each["ruleIndex"]] == each["ruleId"]
        uri = each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert urljoin("https://root.example/src/", uri).startswith("https://root.example/src/")
        assert "](" not in each["message"]["text"]


def test_a_result_has_its_rule_level_place_and_fingerprint() -> None:
    run = run_of(
        {**PLAIN, "rule": "CWE-193", "confidence": 0.75, "detected_by": ["claude", "codex"], "agreement": 1.0}
    )
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("bug/CWE-193", "error")
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "src/a.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 12, "snippet": {"text": "for n in range(1, total):"}},
            },
            "logicalLocations": [{"name": "count"}],
        }
    ]
    assert list(result["partialFingerprints"]) == ["mcoFinding/v1"]
    assert result["properties"]["confidence"] == 0.75
    assert result["properties"]["detectedBy"] == ["claude", "codex"]
    assert run["originalUriBaseIds"].keys() == {"%SRCROOT%"}
    assert str(HERE) not in json.dumps(run)


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note"), ("info", "note")],
)
def test_a_severity_becomes_a_level(severity: str, level: str) -> None:
    assert run_of({**PLAIN, "severity": severity})["results"][0]["level"] == level


@pytest.mark.parametrize(
    "file", ["src/ä b.py", "a#b?c.py", "a%20b.py", "a:b.py", "dir/[id].ts", "x/'\"<>.py"]
)
def test_a_path_is_a_uri_that_leads_back_to_it(file: str) -> None:
    uri = place_of(file=file)["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri) == file
    assert uri.isascii()
    assert not set(' #?:<>"[]') & set(uri)


@pytest.mark.parametrize(
    "file", ["/etc/passwd", "../../etc/passwd", "..", "C:\\Windows\\x", "c:/x", "\\\\host\\share\\x"]
)
def test_a_place_outside_the_workspace_is_said_and_not_pointed_at(file: str) -> None:
    location = place_of(file=file)
    assert location["physicalLocation"] == {"artifactLocation": {"uri": ".", "uriBaseId": "%SRCROOT%"}}
    assert location["message"]["text"].startswith("named outside the workspace: ")


def test_a_finding_without_a_place_still_has_a_location_since_services_want_one() -> None:
    location = place_of(file=None)
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "."
    assert "region" not in location["physicalLocation"]


def test_equal_findings_in_two_lines_are_told_apart() -> None:
    results = run_of(PLAIN, {**PLAIN, "line": 40})["results"]
    first, second = (each["partialFingerprints"]["mcoFinding/v1"] for each in results)
    assert (first[-2:], second[-2:], first[:-2] == second[:-2]) == (":1", ":2", True)


def test_a_message_holds_no_placeholder_and_no_link() -> None:
    (result,) = run_of({**PLAIN, "title": "f'{0}' [here](https://evil.example)"})["results"]
    assert result["message"]["text"] == "f'{{0}}' [here] (https://evil.example)"


@pytest.mark.parametrize(
    ("result", "status", "complete", "notes"),
    [
        ({}, "done", True, []),
        ({"decision": "PASS"}, "done", True, []),
        ({"decision": "INCONCLUSIVE"}, "done", False, []),
        ({"decision": "PARTIAL"}, "done", False, []),
        ({}, "partial", False, []),
        (
            {
                "reviews": [
                    {"provider": "codex", "ok": False, "error": {"reason": "auth", "message": "log in"}}
                ]
            },
            "done",
            False,
            ["missing: codex: log in"],
        ),
        (
            {"reviewers": [{"reviewer": "security", "failed": "no quota"}]},
            "done",
            False,
            ["missing: security: no quota"],
        ),
        (
            {"reviews": [{"provider": "builtin", "ok": True, "missing": ["a.js"]}]},
            "done",
            False,
            ["missing: builtin: a.js"],
        ),
    ],
)
def test_a_review_that_is_not_whole_does_not_count_as_a_success(
    result: dict[str, Any], status: str, complete: bool, notes: list[str]
) -> None:
    (invocation,) = run_of(about=ABOUT._replace(status=status), **result)["invocations"]
    assert invocation["executionSuccessful"] is complete
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == notes


def test_what_providers_say_of_their_answers_goes_along() -> None:
    (invocation,) = run_of(about=ABOUT._replace(notes=("no language model was used (builtin)",)))[
        "invocations"
    ]
    assert invocation["executionSuccessful"] is True
    assert invocation["toolExecutionNotifications"] == [
        {"level": "note", "message": {"text": "no language model was used (builtin)"}}
    ]


def test_findings_that_could_not_be_read_are_told() -> None:
    (invocation,) = run_of(PLAIN, "odd", 3)["invocations"]
    (note,) = invocation["toolExecutionNotifications"]
    assert note["message"]["text"] == "findings that could not be read: 2"


@pytest.mark.parametrize("name", ["sarif", "markdown-pr"])
def test_a_result_without_findings_is_refused_with_a_code_of_its_own(name: str) -> None:
    with pytest.raises(NoFindings, match="no findings to write") as caught:
        write_findings(name, {"answer": 42}, ABOUT, HERE)
    assert caught.value.exit_code == 6
