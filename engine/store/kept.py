"""One row of the answer store: what is kept of an answer, as JSON."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from engine.record.events import Tokens
from engine.step import Answer, Patch, PatchedFile

ROW_VERSION = 2
MAXIMUM_ROW = 64 * 1024 * 1024
"""Bytes, of a long text as well."""


class KeptPatch(BaseModel):
    """A patch as a row keeps it: its bytes are base64, since a patch need not be UTF-8."""

    model_config = ConfigDict(frozen=True, defer_build=True, ser_json_bytes="base64", val_json_bytes="base64")

    data: bytes
    base: str
    provider: str
    files: list[PatchedFile]


class KeptAnswer(BaseModel):
    """One row: the answer, when and by which run it was made, and the parts of its key. Times are epoch seconds."""

    model_config = ConfigDict(frozen=True, defer_build=True, allow_inf_nan=False)

    version: int = ROW_VERSION
    value: Any
    long: int | None = None
    """The size of the text that stands elsewhere, in bytes; the value is empty then."""
    usage: Tokens = Tokens()
    provider: str
    model: str | None = None
    session_id: str | None = None
    seconds: float = 0.0
    run: str
    made_at: float
    parts: Any = None
    patches: list[KeptPatch] = []

    @field_validator("value")
    @classmethod
    def _is_json(cls, value: Any) -> Any:
        """Infinities and what is no number are read, and no run could take them."""
        if not isinstance(value, str):
            json.dumps(value, allow_nan=False)
        return value

    def answer(self) -> Answer:
        """The answer as its provider gave it."""
        return Answer(
            value=self.value,
            usage=self.usage.as_usage(),
            provider=self.provider,
            model=self.model,
            session_id=self.session_id,
            seconds=self.seconds,
            patches=tuple(
                Patch(patch.data, patch.base, patch.provider, tuple(patch.files)) for patch in self.patches
            ),
        )
