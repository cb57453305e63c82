"""Every error that mco raises on purpose.

MCOError                 what went wrong, where, why, and the way out
├── UsageError           the command line, settings or arguments are wrong        exit 2
│   ├── UnknownWorkflow  no workflow of that name
│   └── NotAllowed       a provider that the settings keep out
├── ScriptRefused        the script was not run; carries all its problems         exit 2
├── WallMissing          untrusted, and the system's sandbox is not whole         exit 2
├── ScriptFailed         the script ran and raised                                exit 1
│   └── WorkerKilled     its process ended before it did                          exit 1
├── StepFailed           no provider answered; `AgentError` in a script           exit 1
├── CeilingReached       a budget or a limit                                      exit 5
├── NoProviderReady      nothing on this machine can answer                       exit 4
├── StorageFailed        a folder, a file or the disk                             exit 1
├── NoFindings           the run ended, and has no findings to write              exit 6
└── RunCancelled         stopped by a person or a signal                          exit 130
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NamedTuple, cast, get_args

Reason = Literal[
    "timeout",
    "stalled",
    "rate_limited",
    "quota",
    "auth",
    "not_found",
    "unsupported",
    "network",
    "crashed",
    "bad_output",
    "refused",
    "cancelled",
]
REASONS: frozenset[str] = frozenset(get_args(Reason))


class MCOError(Exception):
    """An error for people: `what`, and where known `where`, `why` and a `hint` at the way out."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str, *, where: str | None = None, why: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        reason = f": {self.why}" if self.why else ""
        return f"{place}{self.what}{reason}"


class UsageError(MCOError):
    """The command line, the settings or the arguments are wrong."""

    exit_code = 2


class UnknownWorkflow(UsageError):
    """No workflow has that name."""


class NotAllowed(UsageError):
    """The settings do not let this provider be asked."""


class Problem(NamedTuple):
    """One thing wrong in a script. `line` and `column` count from 1; 0 means the script as a whole.

    `source` is the line, or the part of a long one that is around the problem, `skipped` characters into it.
    """

    line: int
    column: int
    message: str
    hint: str | None = None
    source: str = ""
    skipped: int = 0


class ScriptRefused(MCOError):
    """The script was not run. `problems` has everything that is wrong with it, in the order of the lines.

    `warnings` are what would not have worked as meant; only who asks for them gets any.
    """

    exit_code = 2

    def __init__(self, where: str, problems: list[Problem], warnings: tuple[Problem, ...] = ()) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"the script was refused ({count})", where=where)
        self.problems = problems
        self.warnings = warnings


class WallMissing(MCOError):
    """The script was not run: it is untrusted, and the operating system's part of the sandbox is not whole."""

    exit_code = 2


class ScriptFailed(MCOError):
    """The script raised, or returned what is not JSON. `exception` is the name of what it raised, if it did."""

    exception: str = ""


class WorkerKilled(ScriptFailed):
    """The worker process ended before its script did: a limit, a crash, or a kill from outside."""


class StepFailed(MCOError):
    """A step has no answer. `reason` is one of `REASONS`; `retry_after` is in seconds, where the provider named it.

    `usage` is what was spent all the same, an `engine.step.Usage`, where the provider said so.
    """

    def __init__(
        self,
        reason: Reason,
        what: str,
        *,
        provider: str | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
        usage: Any = None,
    ) -> None:
        super().__init__(what, hint=hint)
        self.reason: Reason = reason
        self.provider = provider
        self.retry_after = retry_after
        self.usage: Any = usage


class CeilingReached(MCOError):
    """A ceiling that the user (or the script) set was reached. `kind` tells a script which exception it gets."""

    exit_code = 5

    def __init__(self, kind: Literal["budget", "limit"], what: str, *, hint: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.kind: Literal["budget", "limit"] = kind


class NoProviderReady(MCOError):
    """Nothing on this machine can answer a prompt."""

    exit_code = 4


class NoFindings(MCOError):
    """The result of a run has no list of findings, so it cannot be written in the format that was asked for."""

    exit_code = 6


class StorageFailed(MCOError):
    """A folder cannot be written, a file cannot be read, or the disk is full."""


class RunCancelled(MCOError):
    """The run was stopped by a person or a signal."""

    exit_code = 130


def first_of_ours(error: BaseException) -> MCOError | None:
    """The error of ours that this is, or that groups hold however deep; None when anything else is among them."""
    leaves = list(_leaves(error))
    ours = [leaf for leaf in leaves if isinstance(leaf, MCOError)]
    return ours[0] if len(ours) == len(leaves) else None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    group = cast("BaseExceptionGroup[BaseException]", error)
    for inner in group.exceptions:
        yield from _leaves(inner)
