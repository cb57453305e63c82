"""What was asked and what came back, whole: `steps.jsonl`, one line a step, written when the step has ended.

A reused step has no line: its answer stands in the run that the journal names, and in the answer store. With a step
stand the parts of its key, for people who ask why it ran: its schema as a digest, its prompt only once.

One file for all steps, because a file or a folder for each costs more than all the rest of a quick step (0.1 to
1.6 ms measured, against 0.005 ms for a line). What programs printed lies beside it in `steps/`, and
so do answers that are long texts: `<n>-<slug>.answer.txt`, which the line names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic_core import to_json

from engine.errors import StorageFailed
from engine.record.folder import RunFolder, slug, take_back
from engine.record.long_text import is_long, write_text
from engine.step import Answer, Key, Patch, Step, canonical, digest_of

Miss = Literal["new", "expired", "forced", "uncached", "writes"]
"""Why a step was not reused: nothing is kept under its key, what is kept is too old, `--fresh`, `cache=False`, or it
may write files."""


class StepFile:
    """Appends `{"step", "answer", "label", "prompt", "reads", "key", "parts", "manifest", "miss"}` lines.

    A step without an answer has none, and one that may read everything no `reads`. Instead of an answer that is long
    stands the name of its file, as `answer_file`.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._steps = str(folder.steps)
        self._file = -1

    def stem(self, number: int, step: Step) -> str:
        """The beginning of the paths under which adapters keep what their programs printed."""
        return f"{self._steps}{os.sep}{number}-{slug(step.label)}"

    def keep(
        self, number: int, step: Step, answer: Answer | None, *, key: Key, manifest: str | None, miss: Miss
    ) -> None:
        """Write down a step that ran. StorageFailed when the disk does not take it.

        `manifest` is the digest of the one that its fingerprint came from, where it has one.
        """
        line: dict[str, Any] = {"step": number}
        if answer is not None and is_long(answer.value):
            line["answer_file"] = self._keep_text(number, step, answer.value)
        elif answer is not None:
            line["answer"] = answer.value
        line.update(label=step.label, prompt=step.prompt)
        if step.reads is not None:
            line["reads"] = step.reads
        line.update(key=key.digest, parts=_parts(key.parts), manifest=manifest, miss=miss)
        try:
            self._append(to_json(line) + b"\n")
        except OSError as error:
            raise _failed(self._folder.step_file, error) from error

    def _keep_text(self, number: int, step: Step, text: str) -> str:
        """Write down a long answer, which has a file of its own; the file's name."""
        path = Path(f"{self.stem(number, step)}.answer.txt")
        try:
            try:
                write_text(path, text)
            except FileNotFoundError:
                path.parent.mkdir(exist_ok=True)
                write_text(path, text)
        except OSError as error:
            raise _failed(path, error) from error
        return path.name

    def _append(self, line: bytes) -> None:
        """Append a line. What a full disk took of it is cut off again."""
        if self._file < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._folder.step_file, flags, 0o600)
        written = 0
        try:
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError:
            take_back(self._file, written)
            raise

    def offer_again(self, number: int, step: Step, patches: Sequence[Patch], from_run: str) -> None:
        """Put the patches of a reused answer among those of this run. StorageFailed when the disk does not take it."""
        from engine.record.patches import PatchFolder, facts_of  # few steps have patches

        for patch in patches:
            facts = facts_of(patch, step=number, label=step.label, from_run=from_run)
            PatchFolder(self._folder).keep(patch, facts)

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _failed(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        "a step cannot be written down",
        where=str(path),
        why=error.strerror or str(error),
        hint="see that its disk has room and takes such a file, then run it again: finished steps are reused",
    )


def _parts(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a key as they stand in a line: short, whatever the step asks."""
    short = {**parts}
    short.pop("prompt", None)
    if short.get("schema") is not None:
        short["schema"] = digest_of(canonical(short["schema"]))
    return short
