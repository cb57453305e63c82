"""What was asked and what came back, whole: `steps.jsonl`, one line a step, written when the step has ended.

A reused step has no line: its answer stands in the run that the journal names, and in the answer store.

One file for all steps, because a file or a folder for each costs more than all the rest of a quick step (0.1 to
1.6 ms measured, against 0.005 ms for a line). What programs printed lies beside it in `steps/`.
"""

from __future__ import annotations

import os
from typing import Any

from pydantic_core import to_json

from engine.errors import StorageFailed
from engine.record.folder import RunFolder, slug, take_back
from engine.step import Answer, Step


class StepFile:
    """Appends `{"step", "label", "prompt", "answer"}` lines; a step without an answer has none."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._steps = str(folder.steps)
        self._file = -1

    def stem(self, number: int, step: Step) -> str:
        """The beginning of the paths under which adapters keep what their programs printed."""
        return f"{self._steps}{os.sep}{number}-{slug(step.label)}"

    def keep(self, number: int, step: Step, answer: Answer | None) -> None:
        """Write down a step that ran. StorageFailed when the disk does not take it."""
        line: dict[str, Any] = {"step": number, "label": step.label, "prompt": step.prompt}
        if answer is not None:
            line["answer"] = answer.value
        written = 0
        try:
            if self._file < 0:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file = os.open(self._folder.step_file, flags, 0o600)
            data = memoryview(to_json(line) + b"\n")
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            take_back(self._file, written)
            raise StorageFailed(
                "a step cannot be written down",
                where=str(self._folder.step_file),
                why=error.strerror or str(error),
                hint="free some space, then run it again: finished steps are reused",
            ) from error

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
