"""The `[providers.NAME]` table of a program."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.step import Access

DottedPath = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]


class UsagePaths(BaseModel):
    """Where in the program's JSON its usage stands, as dotted paths such as `usage.input`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_tokens: DottedPath | None = None
    cached_tokens: DottedPath | None = None
    output_tokens: DottedPath | None = None
    reasoning_tokens: DottedPath | None = None
    cost: DottedPath | None = None


class CommandOptions(BaseModel):
    """One `[providers.NAME]` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: list[str] = Field(min_length=1)
    """Program and arguments; `{prompt}`, `{prompt_file}`, `{workspace}`, `{model}`, `{effort}`, `{agent_type}` and
    `{max_tool_calls}` stand for values, in whole or in part of an argument. Without `{prompt}` and `{prompt_file}`
    the prompt goes in on standard input."""
    output: Literal["text", "json", "jsonl"] = "text"
    answer: DottedPath | None = None
    """Dotted path to the answer in JSON output; of JSON lines the last that has it counts."""
    usage: UsagePaths = UsagePaths()
    environment: list[str] = []
    """Names of further variables that the program may see."""
    access: list[Access] = ["read"]
    """What the user vouches that the program keeps to."""
    capabilities: list[str] = ["text"]
    model: str = ""
    """What `{model}` stands for when a step names none."""
    effort: str = ""
    """The same for `{effort}`."""
