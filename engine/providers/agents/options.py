"""The `[providers.NAME]` table of a coding agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.providers.table import read_table
from engine.step import Access


class AgentOptions(BaseModel):
    """What the user sets for one coding agent. A step's own model and effort come before these."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    program: str | None = None
    """Path or name of the program, where it is not called like the provider."""
    model: str | None = None
    effort: str | None = None
    arguments: list[str] = []
    """Further arguments for every run, placed before ours."""
    environment: list[str] = []
    """Names of further variables that the program may see."""
    access: list[Access] | None = None
    """What it may be asked with; None is all that it can be held to."""


def read_options(name: str, table: Mapping[str, Any]) -> AgentOptions:
    """The options of a table. UsageError says which of them is wrong."""
    return read_table(AgentOptions, name, table)
