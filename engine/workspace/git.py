"""Asks git about a repository that nobody vouches for: what its own settings name is never started."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from threading import Timer
from typing import IO

from engine.git_environment import DISTRUST, git_environment
from engine.text import clean_line

_PATIENCE_SECONDS = 300
_SETTINGS = (
    *DISTRUST.items(),
    ("core.preloadIndex", "true"),
    ("safe.bareRepository", "explicit"),
)

Setting = tuple[str, str]


class GitFailed(Exception):
    """git is not there, or did not do it; the message is its own last line."""


class Running:
    """A git process whose output is on its way into a file, so that several can run at once without a thread each."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes]) -> None:
        self._process = process
        self._output = output
        self._errors = errors

    def output(self, *, whole: bool = False) -> bytes:
        """All that it printed, when it has ended. GitFailed when it failed or took minutes.

        `whole`: also when it went on in spite of an error, as it does when objects of a partial clone are missing.
        """
        timer = Timer(_PATIENCE_SECONDS, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            code = self._process.wait()
        finally:
            timer.cancel()
        self._errors.seek(0)
        said = self._errors.read(10_000).decode(errors="replace").strip().splitlines()
        if code != 0 or (whole and any(line.startswith("error:") for line in said)):
            raise GitFailed(
                clean_line(said[0].removeprefix("fatal: "), 200) if said else f"git ended with {code}"
            )
        self._output.seek(0)
        return self._output.read()

    def close(self) -> None:
        """End it if nobody waited for it, and let go of what it printed."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._errors.close()


class Git:
    """git in one folder; `ceiling` keeps it from looking for a repository above the folder itself."""

    def __init__(self, folder: Path, *, ceiling: bool = False, settings: Iterable[Setting] = ()) -> None:
        self._folder = folder
        self._ceiling = ceiling
        self._settings = (*_SETTINGS, *settings)

    def start(self, *arguments: str) -> Running:
        """Start a command. GitFailed when there is no git on this machine."""
        output, errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was read
        try:
            process = subprocess.Popen(
                ["git", *arguments],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
        except OSError as error:
            output.close()
            errors.close()
            raise GitFailed(error.strerror or str(error)) from error
        return Running(process, output, errors)

    def with_settings(self, settings: Iterable[Setting]) -> Git:
        """The same, with further settings that stand before the repository's own."""
        return Git(
            self._folder, ceiling=self._ceiling, settings=(*self._settings[len(_SETTINGS) :], *settings)
        )

    def _environment(self) -> dict[str, str]:
        environment = git_environment(self._settings) | {"GIT_OPTIONAL_LOCKS": "0"}
        if self._ceiling:
            environment["GIT_CEILING_DIRECTORIES"] = str(self._folder.parent)
        return environment
