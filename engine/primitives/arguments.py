"""What a script passed to `agent()`, checked at the door. The worker is hostile: nothing of it is taken on trust."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from engine.schema import Schema, SchemaRefused
from engine.step import Access, OnResume, ProviderChoice, Strategy
from engine.text import clean_line

MAXIMUM_PROMPT = 4_000_000
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Model = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=7 * 86400)]


def parse_age(value: Any) -> Any:
    """`"1d"`, `"90m"`, `"2w"` as seconds; True, False and numbers of seconds as they are. ValueError otherwise."""
    if not isinstance(value, str):
        return value
    match = _AGE.fullmatch(value.strip())
    if match is None:
        raise ValueError('write an age such as "30m", "12h", "1d" or "2w"')
    return float(match[1]) * _SECONDS[match[2]]


def _choice(value: Any) -> Any:
    if isinstance(value, str):
        name, _, model = value.partition(":")
        return {"name": name, "model": model or None}
    return value


class ChosenProvider(BaseModel):
    """One entry of `providers=[…]`: a name, `"name:model"`, or an object. `timeout` is in seconds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name
    model: Model | None = None
    timeout: Seconds | None = None
    access: Access | None = None

    def choice(self) -> ProviderChoice:
        """As a step holds it."""
        return ProviderChoice(name=self.name, model=self.model, timeout=self.timeout, access=self.access)


def _patterns(values: list[str]) -> list[str]:
    if values:
        # Only runs with patterns pay for what reads them.
        from engine.workspace.patterns import check_patterns

        check_patterns(values)
    return values


Pattern = Annotated[str, StringConstraints(max_length=1000)]
Chosen = Annotated[ChosenProvider, BeforeValidator(_choice)]


class AgentArguments(BaseModel):
    """The arguments of one `agent()` call."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=MAXIMUM_PROMPT)]
    label: str | None = None
    phase: str | None = None
    output: dict[str, Any] | bool | None = Field(None, alias="schema")
    model: Model | None = None
    effort: Word | None = None
    provider: Chosen | None = None
    providers: Annotated[list[Chosen], Field(min_length=1, max_length=16)] | None = None
    strategy: Strategy | None = None
    capabilities: Annotated[list[Word], Field(max_length=16, default_factory=list)]
    task: dict[str, Any] | None = None
    agent_type: Word | None = None
    access: Access = "read"
    reads: Annotated[list[Pattern], Field(max_length=100), AfterValidator(_patterns)] | None = None
    isolation: Literal["worktree"] | None = None
    on_resume: OnResume | None = None
    timeout: Seconds | None = None
    stall_timeout: Seconds | None = None
    retries: Annotated[int, Field(ge=0, le=20)] | None = None
    max_tool_calls: Annotated[int, Field(ge=0)] | None = None
    cache: Annotated[bool | float, BeforeValidator(parse_age)] = True


class ArgumentsWrong(ValueError):
    """An argument of `agent()` is wrong; the message names it."""


def read_arguments(prompt: str, options: dict[str, Any]) -> AgentArguments:
    """The arguments of an `agent()` frame. ArgumentsWrong says which of them is wrong, and how."""
    try:
        arguments = AgentArguments.model_validate({**options, "prompt": prompt})
        if arguments.output is not None:
            Schema(arguments.output)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ArgumentsWrong(f"agent(): `{clean_line(place, 60)}` is wrong: {message}") from None
    except SchemaRefused as error:
        raise ArgumentsWrong(f"agent(): `schema` is wrong: {clean_line(str(error), 300)}") from None
    if arguments.provider is not None and arguments.providers is not None:
        raise ArgumentsWrong("agent(): give `provider` or `providers`, not both")
    return arguments
