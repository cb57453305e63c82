from __future__ import annotations

import json
import subprocess

import pytest
from ruff.__main__ import find_ruff_bin

from engine.providers.builtin.rules import RULES_BY_ASPECT
from engine.providers.builtin.rules.correctness import SYNTAX_ERROR
from engine.severity import SEVERITIES


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, object]]:
    listed = subprocess.run(
        [find_ruff_bin(), "rule", "--all", "--output-format", "json"], capture_output=True, check=True
    )
    return {rule["code"]: rule for rule in json.loads(listed.stdout)}


@pytest.mark.parametrize("aspect", RULES_BY_ASPECT)
def test_every_rule_is_one_that_ruff_has(aspect: str, known: dict[str, dict[str, object]]) -> None:
    asked = set(RULES_BY_ASPECT[aspect]) - {SYNTAX_ERROR}
    assert asked <= set(known)
    assert {code for code in asked if known[code]["preview"]} == set()


def test_an_aspect_does_not_repeat_another() -> None:
    codes = [code for rules in RULES_BY_ASPECT.values() for code in rules]
    assert len(codes) == len(set(codes))


def test_every_rule_has_a_severity() -> None:
    assert {rule.severity for rules in RULES_BY_ASPECT.values() for rule in rules.values()} <= set(SEVERITIES)
