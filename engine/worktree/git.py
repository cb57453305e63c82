"""Runs git for us, with nothing of a repository's own settings being able to start a program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from engine.errors import MCOError
from engine.git_environment import DISTRUST, git_environment
from engine.text import clean_line

_OURS: Mapping[str, str] = {
    **DISTRUST,
    "core.quotePath": "true",  # names in patches are plain ASCII, whatever they are on disk
    "core.splitIndex": "false",
    "core.sparseCheckout": "false",  # a worktree has all files, so that a patch never takes absent ones for deleted
    "diff.suppressBlankEmpty": "false",
    "diff.relative": "false",
    "apply.whitespace": "nowarn",
    "apply.ignoreWhitespace": "no",
    "advice.addEmbeddedRepo": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
_HARMLESS = frozenset(
    {"GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CEILING_DIRECTORIES"}
)
"""Variables of the user's own that say where git looks for settings and repositories."""
_PROGRAMS = r"^(filter|merge)\."
_INSTEAD: Mapping[str, Mapping[str, str]] = {
    "filter": {"clean": "", "smudge": "", "process": "", "required": "false"},
    "merge": {"driver": "git merge-file -q %A %O %B"},  # what git does without a driver
}


class GitFailed(MCOError):
    """git ended with an error; `why` is what it said, cleaned."""


class Git(NamedTuple):
    """git in one folder. `environment` has what neutralises the repository's settings."""

    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def at(cls, folder: Path) -> Git:
        """For the repository around a folder. GitFailed when there is none that git takes, or no git."""
        plain = cls(folder, _environment(_OURS))
        settings = dict(_OURS)
        listed = plain.attempt(
            "config", "--includes", "--show-scope", "--name-only", "-z", "--get-regexp", _PROGRAMS
        )
        words = listed.output.split(b"\0")
        for scope, name in zip(words[::2], words[1::2], strict=False):
            if scope not in (b"local", b"worktree"):
                continue  # what stands in the user's own settings is the user's own choice
            section, _, rest = os.fsdecode(name).partition(".")
            driver, dot, _ = rest.rpartition(".")
            if dot:  # a driver may have no name, and is started all the same
                settings |= {f"{section}.{driver}.{key}": value for key, value in _INSTEAD[section].items()}
        return cls(folder, _environment(settings))

    def place(self) -> tuple[Path, str]:
        """The top of the work tree and this folder's place in it, empty or ending in `/`. GitFailed without one."""
        top, prefix = Path(self.line("rev-parse", "--show-toplevel")), self.line("rev-parse", "--show-prefix")
        ours, known = (
            git.attempt("rev-parse", "--absolute-git-dir").output for git in (self, self._replace(folder=top))
        )
        if not (top / prefix).samefile(self.folder) or ours != known:
            # A repository may say that its files are somewhere else, such as all of the disk.
            raise GitFailed(
                "git failed", why=f"the repository keeps its files elsewhere, in {clean_line(str(top))}"
            )
        return top, prefix

    def within(self, **variables: str | Path) -> Git:
        """The same with further variables, such as `GIT_INDEX_FILE`."""
        return self._replace(
            environment={**self.environment, **{name: str(value) for name, value in variables.items()}}
        )

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git prints. GitFailed when it does not end well."""
        done = self.attempt(*arguments, given=given)
        if done.code != 0:
            raise GitFailed(f"git {arguments[0]} failed", why=done.complaint or f"exit code {done.code}")
        return done.output

    def line(self, *arguments: str) -> str:
        """The one line that git prints, as a path or a name. GitFailed when it does not end well."""
        return os.fsdecode(self.run(*arguments)).removesuffix("\n")

    def attempt(self, *arguments: str, given: bytes = b"") -> Ended:
        """How git ended, well or not. GitFailed when it cannot be started."""
        try:
            done = subprocess.run(
                ["git", "--no-optional-locks", *arguments],
                cwd=self.folder,
                env=dict(self.environment),
                input=given,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise GitFailed("git cannot be started", why=error.strerror or str(error)) from None
        return Ended(done.returncode, done.stdout, done.stderr)


class Ended(NamedTuple):
    """How one call of git ended."""

    code: int
    output: bytes
    errors: bytes

    @property
    def complaint(self) -> str:
        """What git said was wrong, in one line that is safe to print."""
        lines = self.errors.decode(errors="replace").splitlines()
        wrong = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
        return clean_line("; ".join(wrong or lines), 600)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    return git_environment(settings.items(), _HARMLESS) | {"GIT_LITERAL_PATHSPECS": "0"}
