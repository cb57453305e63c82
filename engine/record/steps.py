"""The files of a run's steps: what was asked and what came back, for people to read.

They lie side by side in `steps/`, named `<n>-<slug>.prompt.md` and so on: a folder for every step would cost more
than all the rest of a quick step (measured: 0.3 to 1.6 ms against 0.02 ms a file).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from engine.errors import StorageFailed
from engine.record.folder import RunFolder
from engine.step import Answer, Step

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


class StepFiles:
    """Writes a step's prompt and answer once it has ended. StorageFailed when the disk does not take them."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._made = False

    def stem(self, number: int, step: Step) -> Path:
        """The beginning of the names of a step's files; adapters add their own endings."""
        return self._folder.step(number, step.label)

    def keep(self, number: int, step: Step, answer: Answer | None) -> None:
        """Write down a step that has ended, with its answer if it has one."""
        stem = str(self.stem(number, step))
        try:
            if not self._made:
                self._folder.steps.mkdir(exist_ok=True)
                self._made = True
            _write(f"{stem}.prompt.md", step.prompt)
            if answer is not None and isinstance(answer.value, str):
                _write(f"{stem}.answer.md", answer.value)
            elif answer is not None:
                _write(f"{stem}.answer.json", json.dumps(answer.value, indent=2))
        except OSError as error:
            raise StorageFailed(
                "a step's files cannot be written",
                where=stem,
                why=error.strerror or str(error),
                hint="free some space, then run it again: finished steps are reused",
            ) from error


def _write(path: str, text: str) -> None:
    file = os.open(path, _CREATE, 0o600)
    try:
        data = memoryview(text.encode(errors="replace"))
        while data:
            data = data[os.write(file, data) :]
    finally:
        os.close(file)
