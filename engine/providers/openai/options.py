"""The `[providers.NAME]` table of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from engine.errors import UsageError
from engine.providers.openai.address import checked_address
from engine.providers.table import read_table

_Word = Annotated[str, StringConstraints(pattern=r"^[!-~]+$")]
_LOOKS_LIKE_A_KEY = frozenset({"api_key", "apikey", "key", "token", "secret"})


class OpenAIOptions(BaseModel):
    """What the user sets for one service. A step's own model and effort come before these."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    base_url: Annotated[str, AfterValidator(checked_address)] | None = None
    """Where it is, up to and with `/v1`; None is what `OPENAI_BASE_URL` says, else OpenAI itself."""
    api_key_variable: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The name of the variable that holds the key; never the key."""
    model: str | None = None
    effort: str | None = None
    organization: _Word | None = None
    max_tokens: int | None = Field(None, ge=1, le=10**9)
    """The longest answer. One that reaches it counts as failed."""
    temperature: float | None = Field(None, ge=0, le=2)
    structured: Literal["json_schema", "json_object", "prompt"] = "json_schema"
    """How a schema is asked for beside the prompt."""
    capabilities: list[str] = ["text", "schema"]


def read_options(name: str, table: Mapping[str, Any]) -> OpenAIOptions:
    """The options of a table. UsageError says which of them is wrong, with the nearest for one that is none."""
    for option in table:
        if option.lower() in _LOOKS_LIKE_A_KEY:
            raise UsageError(
                f"[providers.{name}] is wrong",
                where=option,
                why="a key does not belong in a file",
                hint='name its variable: api_key_variable = "MY_API_KEY"',
            )
    return read_table(OpenAIOptions, name, table)
