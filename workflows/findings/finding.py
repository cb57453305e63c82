"""One finding as it is believed: checked, cleaned, with its place, and with a fingerprint that outlives edits."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from engine.severity import Severity, severity_of
from engine.step import canonical, digest_of
from engine.text import clean_block, clean_line

_LINE = re.compile(r"\b(lines?) +\d+(?: *[-–] *\d+)?")
_WORDS = re.compile(r"\w+")
_LAST_LINE = 10**9
_ID_LENGTH = 12


def _severity(value: Any) -> Severity:
    severity = severity_of(value)
    if severity is None:
        raise ValueError("it is no severity")
    return severity


def _place(value: Any) -> int | None:
    """A line or column, None for anything that cannot be one: some answer 0 or "unknown" where they do not know."""
    return value if type(value) is int and 1 <= value <= _LAST_LINE else None


def _share(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value <= 1 else None


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else ""


def _line_of(limit: int) -> BeforeValidator:
    return BeforeValidator(lambda value: clean_line(_text(value), limit).strip())


def _block_of(limit: int) -> BeforeValidator:
    return BeforeValidator(lambda value: clean_block(_text(value), limit).strip("\n"))


Name = Annotated[str, _line_of(100)]
Place = Annotated[int | None, BeforeValidator(_place)]
Share = Annotated[float | None, BeforeValidator(_share)]
"""From 0 to 1; None when nobody said."""


class Evidence(BaseModel):
    """Where a finding can be seen. `file` is relative to the workspace, with slashes; "" when nobody named one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: Annotated[str, _line_of(1_000)] = ""
    line: Place = None
    column: Place = None
    symbol: Annotated[str, _line_of(200)] = ""
    snippet: Annotated[str, _block_of(4_000)] = ""


class Finding(BaseModel):
    """One finding. Texts are clean and bounded; `rule` is a CWE or lint code, where one fits.

    Only the severity and the title must be there: what is odd about the rest is left out, so that no finding is lost.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    severity: Annotated[Severity, BeforeValidator(_severity)]
    category: Annotated[Name, AfterValidator(lambda name: name or "general")] = "general"
    title: Annotated[str, _line_of(300), Field(min_length=1)]
    evidence: Evidence = Evidence()
    rule: Name = ""
    recommendation: Annotated[str, _block_of(4_000)] = ""
    confidence: Share = None
    detected_by: tuple[Name, ...] = ()
    agreement: Share = None
    """Which share of those who were asked found it."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what is found and where, without the line: an edit further up does not make it another."""
        near = self.evidence.symbol or "".join(self.evidence.snippet.split())
        parts = [self.category.casefold(), _normal(self.title), self.evidence.file, near]
        return digest_of(canonical(["finding", 1, *parts]))

    @property
    def id(self) -> str:
        """A short name for people, out of the fingerprint."""
        return self.fingerprint[:_ID_LENGTH]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"id": self.id, **self.model_dump(mode="json"), "fingerprint": self.fingerprint}


def _normal(title: str) -> str:
    """A title without case, punctuation and numbers of lines, which change when nothing else does."""
    words = _WORDS.findall(_LINE.sub(r"\1", title.casefold()))
    return " ".join(words) or " ".join(title.split())
