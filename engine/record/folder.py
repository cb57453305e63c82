"""The folder of one run on disk: where each file is, and how one is replaced without being half written."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import StorageFailed
from engine.step import digest_of

_UNSAFE = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 40


def new_run_id(now: float, token: str) -> str:
    """An id that sorts by time: `20261121-110457-3f9a`. `now` is in seconds, `token` random hex."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{token[:4]}"


class RunFolder(NamedTuple):
    """The files of one run; nothing needs to be there before `create`."""

    path: Path

    @classmethod
    def create(cls, runs_folder: Path, run_id: str) -> RunFolder:
        """Make the folder of a new run. StorageFailed when it is there already or cannot be made."""
        path = runs_folder / run_id
        _check_no_link(runs_folder)
        try:
            runs_folder.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        except OSError as error:
            raise _cannot("the run's folder cannot be made", path, error) from error
        return cls(path)

    @property
    def run_id(self) -> str:
        """The run's id, which is the folder's name."""
        return self.path.name

    @property
    def run_json(self) -> Path:
        """What was run: workflow, arguments, versions, settings."""
        return self.path / "run.json"

    @property
    def script(self) -> Path:
        """The script's exact bytes."""
        return self.path / "script.py"

    @property
    def journal(self) -> Path:
        """The run's events, one JSON line each."""
        return self.path / "journal.jsonl"

    @property
    def result(self) -> Path:
        """What the script returned."""
        return self.path / "result.json"

    @property
    def summary(self) -> Path:
        """The report for people, in Markdown."""
        return self.path / "summary.md"

    @property
    def lock(self) -> Path:
        """Held by the process that drives the run, see `engine.record.lock`."""
        return self.path / "lock"

    @property
    def resume_lock(self) -> Path:
        """Held by the run that takes this one up again."""
        return self.path / "resume.lock"

    @property
    def step_file(self) -> Path:
        """Prompts and answers, whole; see `engine.record.steps`."""
        return self.path / "steps.jsonl"

    @property
    def patches(self) -> Path:
        """What agents changed in worktrees; see `engine.record.patches`."""
        return self.path / "patches"

    @property
    def patch_decisions(self) -> Path:
        """What became of each patch."""
        return self.path / "patches.json"

    @property
    def steps(self) -> Path:
        """What programs printed: `<n>-<slug>.<provider>-<attempt>.raw`, with the model where one was named.

        Answers that are long texts as well: `<n>-<slug>.answer.txt`.
        """
        return self.path / "steps"


@lru_cache(1024)
def slug(label: str) -> str:
    """A label as a safe file name; where that changed it, a short hash keeps different labels apart."""
    cleaned = _UNSAFE.sub("-", label.lower()).strip("-")[:_SLUG_LENGTH].rstrip("-")
    if cleaned == label:
        return cleaned or "step"
    return f"{cleaned or 'step'}-{digest_of(label.encode(errors='replace').decode())[:6]}"


def write_atomically(path: Path, data: str | bytes) -> None:
    """Replace a file in one move: readers see the old content or the new. StorageFailed when it cannot."""
    content = data.encode(errors="replace") if isinstance(data, str) else data
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # What lies there is of a process that is gone, or a link that a repository brought along.
        draft.unlink(missing_ok=True)
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise _cannot("a file of mco's cannot be written", path, error) from error


def take_back(file: int, written: int) -> None:
    """Cut off what a full disk took of a line: the file keeps whole lines, and there is room for the last words."""
    with suppress(OSError):
        os.ftruncate(file, os.fstat(file).st_size - written)


def write_json(path: Path, value: Any) -> None:
    """Replace a file by `value` as readable JSON, in one move. StorageFailed when it cannot."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def make_state_folder(state: Path) -> None:
    """Make a workspace's `.mco`, which ignores itself in git. StorageFailed when it cannot."""
    ignore = state / ".gitignore"
    _check_no_link(state)
    try:
        state.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(ignore):
            write_atomically(ignore, "*\n")
    except OSError as error:
        raise _cannot("the folder for mco's files cannot be made", state, error) from error


def _check_no_link(folder: Path) -> None:
    """A repository may bring a link here, to make us write elsewhere."""
    if folder.is_symlink():
        raise StorageFailed(
            "a folder of mco's is a link, and nothing is written through it",
            where=str(folder),
            hint="look where it leads, and remove it: mco makes a folder there",
        )


def _cannot(what: str, path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        what,
        where=str(path),
        why=error.strerror or str(error),
        hint="make the folder writable, or free some space on its disk",
    )
