"""The reference pages name what there is: settings with their defaults, options, reasons, exit codes, modules."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click
import pytest

from engine.errors import REASONS, MCOError
from engine.primitives.arguments import AgentArguments
from engine.record.events import Status
from engine.sandbox.facades import MODULES
from engine.settings import Settings
from workflows.cli.main import mco

DOCS = Path(__file__).resolve().parent.parent / "docs"
COMMAND = (DOCS / "reference" / "command.md").read_text(encoding="utf-8")
SCRIPT = (DOCS / "reference" / "script.md").read_text(encoding="utf-8")
CONCEPTS = (DOCS / "concepts.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
DEFAULTS_IN_WORDS = {"provider": "first ready", "allowed_providers": "everybody"}


def first_cells(page: str) -> list[str]:
    return [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]


def in_words(name: str) -> str:
    default = Settings.model_fields[name].get_default()
    if default is None:
        return DEFAULTS_IN_WORDS.get(name, "none")
    return f"{default:g}" if isinstance(default, float) else str(default)


def options_of(command: click.Command) -> list[str]:
    return [name for parameter in command.params for name in parameter.opts if name.startswith("-")]


@pytest.mark.parametrize("name", sorted(Settings.model_fields.keys() - {"providers"}))
def test_a_setting_is_shown_with_its_default(name: str) -> None:
    (row,) = [line for line in SETTINGS.splitlines() if line.startswith(f"| `{name}` |")]
    kind, default, project, meaning = (cell.strip() for cell in row.strip("|").split("|")[1:])
    assert default.strip("`") == in_words(name)
    assert project == ("choose, not `fake`" if name == "provider" else "narrow")
    assert kind
    assert meaning


def test_no_setting_is_shown_that_there_is_not() -> None:
    shown = {cell.strip().strip("`") for cell in first_cells(SETTINGS)} - {"setting"}
    assert shown == (Settings.model_fields.keys() - {"providers"}) | {"[providers.NAME]"}


def test_every_command_is_shown_and_no_other() -> None:
    shown = {cell.split()[1].strip("`") for cell in first_cells(COMMAND) if cell.startswith(" `mco ")}
    assert shown == set(mco.list_commands(click.Context(mco)))


@pytest.mark.parametrize("name", ["run", "review"])
def test_every_option_is_shown(name: str) -> None:
    command = mco.get_command(click.Context(mco), name)
    assert command is not None
    assert [option for option in options_of(command) if f"`{option}" not in COMMAND] == []


@pytest.mark.parametrize(
    "name", sorted({field.alias or name for name, field in AgentArguments.model_fields.items()})
)
def test_an_option_of_agent_is_shown(name: str) -> None:
    assert name == "prompt" or any(f"`{name}`" in cell for cell in first_cells(SCRIPT))


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_reason_is_explained(reason: str) -> None:
    assert any(f"`{reason}`" in cell for cell in first_cells(SCRIPT))


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_is_named(name: str) -> None:
    assert any(f"`{name}`" in cell for cell in first_cells(SCRIPT))


@pytest.mark.parametrize("status", get_args(Status))
def test_a_way_to_end_is_explained(status: str) -> None:
    assert any(cell.strip() == f"`{status}`" for cell in first_cells(CONCEPTS))


def test_every_exit_code_is_shown() -> None:
    codes = {0, 3, *(kind.exit_code for kind in _kinds(MCOError))}
    shown = {cell.strip() for cell in first_cells(COMMAND) if cell.strip().isdigit()}
    assert shown == {str(code) for code in codes}


def _kinds(kind: type[MCOError]) -> list[type[MCOError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _kinds(child))]
