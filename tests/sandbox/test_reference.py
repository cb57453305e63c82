"""The page of what a script may use says what the sandbox allows, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

from engine.sandbox.attributes import OF_TYPES, OF_VALUES
from engine.sandbox.budget import Budget, BudgetBlock, CostBudget
from engine.sandbox.facades import MODULES
from engine.sandbox.names import script_builtins

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "language.md").read_text(encoding="utf-8")
OURS = {str: {"format", "encode"}, bytes: {"decode"}}
"""Methods that the guards answer for themselves."""
TITLES: dict[type, str] = {
    Budget: "budget",
    BudgetBlock: "with budget(…) as block",
    CostBudget: "budget.cost",
}


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def table(text: str) -> dict[str, set[str]]:
    """The rows of the tables in a text: the code of the first cell, and of the second."""
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {first.removeprefix("| ").strip("`"): words(second) for first, second in rows}


def title(kind: type) -> str:
    module = kind.__module__
    name = "error" if kind is re.error else kind.__name__
    return TITLES.get(kind) or (
        f"{module.split('.')[0]}.{name}" if module.split(".")[0] in ("re", "json") else name
    )


def test_the_builtins_of_the_page_are_those_of_a_script() -> None:
    listed = words(section("Builtins").split("\n`print`")[0])
    hidden = {"__import__", "None", "True", "False"}
    assert listed == script_builtins().keys() - hidden


def test_the_modules_of_the_page_are_the_facades() -> None:
    assert table(section("Modules")) == {name: set(facade) for name, facade in MODULES.items()}


def test_the_attributes_of_the_page_are_those_that_are_allowed() -> None:
    of_values, of_types = section("Attributes and methods").split("On the types themselves")
    plain = {kind for kind, names in OF_VALUES.items() if issubclass(kind, Exception) and names == {"args"}}
    assert table(of_values) == {
        title(kind): set(names) | OURS.get(kind, set())
        for kind, names in OF_VALUES.items()
        if kind not in plain
    }
    same = {kind for kind, names in OF_TYPES.items() if OF_VALUES.get(kind) == names}
    assert {kind.__name__ for kind in same} <= words(of_types)
    assert {name.rpartition(".")[2]: names for name, names in table(of_types).items()} == {
        kind.__name__: set(names) for kind, names in OF_TYPES.items() if kind not in same
    }
