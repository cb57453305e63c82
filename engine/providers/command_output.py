"""What a program printed, and what of it is the answer."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic_core import from_json

from engine.errors import StepFailed
from engine.json_value import is_list, is_object
from engine.providers.base import Progress, Report
from engine.providers.command_options import CommandOptions
from engine.providers.raw import RawOutput
from engine.step import Usage

MAXIMUM_OUTPUT = 64 * 1024 * 1024
"""Bytes that are held of an output that is only understood as a whole."""
_MOST = 10**15
"""More tokens or dollars than this nobody has spent."""


class CommandOutput:
    """What the program printed, and what of it is the answer. Kept in a file where it says more than the answer."""

    def __init__(self, options: CommandOptions, report: Report, path: Path | None) -> None:
        self._options = options
        self._report = report
        self._raw = RawOutput(path)
        # One piece: a list of its lines would take many times the memory, and a copy more in the end.
        self._text = bytearray()
        self._value: Any = None
        self._usage = Usage()

    def __enter__(self) -> CommandOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Text that became the answer is kept as the answer; of a failure this file is all that is left.
        if kind is not None and self._options.output == "text" and self._text:
            self._raw.write(self._text[:-1])
        self._raw.__exit__(kind, error, trace)

    def take(self, line: bytes) -> None:
        """One line came."""
        if self._options.output != "text":
            self._raw.write(line)
        if self._options.output == "jsonl":
            self._take_json(line)
        else:
            self._hold(line)
        self._report(Progress("text", line[:300].decode(errors="replace")))

    def _hold(self, line: bytes) -> None:
        if len(self._text) + len(line) > MAXIMUM_OUTPUT:
            raise StepFailed("bad_output", f"it printed more than {MAXIMUM_OUTPUT // 2**20} MiB")
        self._text += line
        self._text += b"\n"

    def _take_json(self, line: bytes) -> None:
        try:
            event = from_json(line)
        except ValueError:
            return  # programs mix notices into their events
        self._pick(event)

    def _pick(self, document: Any) -> None:
        found = document if self._options.answer is None else _at(document, self._options.answer)
        self._value = self._value if found is None else found
        given = {name: _at(document, path) for name, path in self._options.usage.model_dump().items() if path}
        numbers = {name: _measured(name, value) for name, value in given.items()}
        numbers = {name: value for name, value in numbers.items() if value is not None}
        self._usage = Usage(**numbers) if numbers else self._usage

    def result(self) -> tuple[Any, Usage]:
        """The answer, None when there is none, and what it cost."""
        if self._options.output == "text":
            return self._stripped(), Usage()
        if self._options.output == "json":
            try:
                self._pick(from_json(self._text))
            except ValueError as error:
                raise StepFailed("bad_output", f"its output is not JSON: {error}") from None
        return self._value, self._usage

    def _stripped(self) -> str:
        # Nothing is copied for the sake of a newline at the end: an answer may be most of the memory there is.
        while self._text and self._text[-1:].isspace():
            del self._text[-1:]
        return self._text.decode(errors="replace").strip()


def _measured(name: str, value: Any) -> Any:
    """A number of tokens or dollars as the program says it; None for what cannot be one, which measured nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST:
        return None
    if name == "cost":
        return float(value)
    return int(value) if value == int(value) else None


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        if is_object(document) and name in document:
            document = document[name]
        elif is_list(document) and name.lstrip("-").isdigit() and -len(document) <= int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document
