"""One run as its folder tells of it: the view of its journal, and lines of `steps.jsonl` when they are asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from engine.record.folder import RunFolder
from engine.record.journal import JournalReader
from engine.record.long_text import read_text
from engine.record.plain_file import open_plain
from engine.record.step_view import StepView
from engine.record.view import fold

LONGEST_LINE = 64 * 1024 * 1024
"""No step that mco wrote down is longer; what is, is passed over."""
_ANSWER_FILE = re.compile(r"\d{1,9}-[a-z0-9-]{1,60}\.answer\.txt")
_NUMBER = re.compile(rb'\{"step":(\d{1,9}),')


class StepLine(BaseModel):
    """A line of `steps.jsonl`, see `engine.record.steps`; older ones have no parts."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    step: int
    prompt: str = ""
    answer: Any = None
    answer_file: str | None = None
    reads: list[str] | None = None
    key: str = ""
    parts: dict[str, Any] | None = None
    manifest: str | None = None
    miss: str | None = None

    @property
    def answered(self) -> bool:
        """Whether the step had an answer: a line without one has no such name."""
        return "answer" in self.model_fields_set


class Name(NamedTuple):
    """What a step is found by in another run: a text (its label or its prompt), for the n-th time there."""

    text: str
    occurrence: int


class PastRun:
    """A run read back. StorageFailed when its journal cannot be read; what is damaged in it is counted.

    `losses` has in words what else could not be read, each once; runs that are read for one report share it.
    """

    def __init__(self, folder: RunFolder, losses: dict[str, None] | None = None) -> None:
        self.folder = folder
        self.losses: dict[str, None] = {} if losses is None else losses
        reader = JournalReader(folder.journal)
        self.view = fold(reader.read())
        self.damaged = reader.damaged
        self.unknown = reader.unknown
        """Events of a newer mco, which are passed over."""
        self.labels: dict[int, Name] = {}
        """Each step's label, and which one of that label it is."""
        self.prompts: dict[int, Name] = {}
        """The same by the beginning of its prompt."""
        self._name_all()

    @property
    def run_id(self) -> str:
        """Its id, which is its folder's name whatever the journal says."""
        return self.folder.run_id

    @cached_property
    def by_label(self) -> dict[Name, int]:
        """The number of the step with that label."""
        return {name: number for number, name in self.labels.items()}

    @cached_property
    def by_prompt(self) -> dict[Name, int]:
        """The number of the step whose prompt begins like that."""
        return {name: number for number, name in self.prompts.items()}

    @cached_property
    def by_key(self) -> dict[str, int]:
        """The number of the step with that key."""
        return {step.key: number for number, step in self.view.steps.items() if step.key}

    def step(self, number: int) -> StepView:
        """What the journal says of a step."""
        return self.view.steps[number]

    def line(self, number: int) -> StepLine | None:
        """The line of a step that ran; None when there is none, or none that can be read."""
        line = self._read_line(number)
        if line is None and self.view.steps[number].state == "finished":  # which it has been written for
            self._lost(f"what step {number} was asked", self.folder.step_file)
        return None if line is None else self._whole(line)

    def _read_line(self, number: int) -> StepLine | None:
        place = self._places.get(number)
        if place is None:
            return None
        offset, length = place
        try:
            with open_plain(self.folder.step_file) as file:
                file.seek(offset)
                line = StepLine.model_validate_json(file.read(length))
        except (OSError, ValueError):
            return None
        return line if line.step == number else None

    def _whole(self, line: StepLine) -> StepLine:
        """The line with its answer, where that has a file of its own; without one where the file is gone."""
        if line.answer_file is None or not _ANSWER_FILE.fullmatch(line.answer_file):
            return line
        path = self.folder.steps / line.answer_file
        try:
            text = read_text(path)
        except (OSError, ValueError):
            self._lost(f"the answer of step {line.step}", path)
            return line
        return line.model_copy(update={"answer": text})

    def _lost(self, what: str, where: Path) -> None:
        self.losses[f"{self.run_id}: {what} cannot be read ({where.relative_to(self.folder.path)})"] = None

    @cached_property
    def _places(self) -> dict[int, tuple[int, int]]:
        """Where in the file each step's line begins, and how long it is: the file itself is never held."""
        try:
            return dict(self._find_places())
        except OSError:
            return {}

    def _find_places(self) -> Iterator[tuple[int, tuple[int, int]]]:
        offset = 0
        with open_plain(self.folder.step_file) as file:
            while line := file.readline(LONGEST_LINE):
                found = _NUMBER.match(line)
                if found and line.endswith(b"\n"):
                    yield int(found[1]), (offset, len(line))
                offset += len(line)

    def _name_all(self) -> None:
        labels: Counter[str] = Counter()
        prompts: Counter[str] = Counter()
        for number, step in self.view.steps.items():
            labels[step.label] += 1
            prompts[step.prompt] += 1
            self.labels[number] = Name(step.label, labels[step.label])
            self.prompts[number] = Name(step.prompt, prompts[step.prompt])
