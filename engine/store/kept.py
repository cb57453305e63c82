"""One row of the answer store: what is kept of an answer, and on a second line the parts of its key, each as JSON.

A run reads the first line only. The parts are for those who look after the store, and hold the whole prompt.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import from_json, to_json

from engine.record.events import Tokens
from engine.record.long_text import is_long
from engine.step import Answer, Patch, PatchedFile
from engine.store.group_put import Fresh

ROW_VERSION = 3
"""Until 2 the parts stood among the rest, on the same line."""
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
    """The answer, when and by which run it was made, and the parts of its key if asked for. Times are epoch seconds."""

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
    parts: Any = Field(default=None, exclude=True)
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
                [Patch(patch.data, patch.base, patch.provider, tuple(patch.files)) for patch in self.patches]
            ),
        )


def kept_of(fresh: Fresh, run: str) -> KeptAnswer:
    """A fresh answer as its row has it; a long text goes elsewhere."""
    key, answer, made_at = fresh
    return KeptAnswer(
        value="" if is_long(answer.value) else answer.value,
        usage=Tokens.of(answer.usage),
        provider=answer.provider,
        model=answer.model,
        session_id=answer.session_id,
        seconds=answer.seconds,
        run=run,
        made_at=made_at,
        parts=dict(key.parts),
        patches=[
            KeptPatch(data=one.data, base=one.base, provider=one.provider, files=list(one.files))
            for one in answer.patches
        ],
    )


def row_of(kept: KeptAnswer) -> str:
    """The text of a row."""
    return f"{kept.model_dump_json()}\n{to_json(kept.parts).decode()}"


def answer_in(row: str) -> KeptAnswer:
    """The answer in a row, without the parts of its key. ValueError when there is none."""
    return KeptAnswer.model_validate_json(row.partition("\n")[0])


def whole_answer_in(row: str) -> KeptAnswer:
    """The answer in a row and the parts of its key, as they are written now. ValueError when there is none."""
    first, _, parts = row.partition("\n")
    kept = KeptAnswer.model_validate_json(first)
    if parts:
        return kept.model_copy(update={"parts": from_json(parts)})
    return kept.model_copy(update={"version": max(kept.version, ROW_VERSION)})
