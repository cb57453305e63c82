"""Ruff as a child process: which files it would look at, what it finds, and how much the code's comments silence.

`--isolated` and an environment of our own choosing: nothing in the reviewed project configures its own review.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from engine.errors import StepFailed
from engine.process import Command, child_environment, run_child
from engine.providers.builtin.rules.correctness import SYNTAX_ERROR

MAXIMUM_OUTPUT = 64 * 1024 * 1024
_ISOLATED = ("--isolated", "--no-cache", "--quiet", "--exit-zero", "--extend-exclude", ".mco,*.ipynb")


class Location(BaseModel):
    """A place in a file; rows and columns count from 1."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    row: int
    column: int


class Violation(BaseModel):
    """One thing that ruff reports. Files are absolute."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code: str | None = None
    message: str
    filename: str
    location: Location

    @property
    def rule(self) -> str:
        """Its code; syntax errors have had none in some versions."""
        return self.code or SYNTAX_ERROR


class RuleCount(BaseModel):
    """How often one rule was violated."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code: str | None = None
    count: int


_COUNTS = TypeAdapter(list[RuleCount])


@dataclass(frozen=True, slots=True)
class Ruff:
    """Asks ruff about one target (an absolute path)."""

    workspace: Path
    target: Path
    environment: Mapping[str, str]
    stall_timeout: float
    """Seconds that it may say nothing for."""

    async def version(self) -> str:
        """Such as `ruff 0.15.0`."""
        return (await self._run("--version"))[0].decode()

    async def files(self) -> list[str]:
        """The Python files that a review of the target covers, as absolute paths."""
        lines = await self._check("--show-files")
        return [line.decode("utf-8", "replace") for line in lines if line.strip()]

    async def violations(self, codes: Iterable[str]) -> list[Violation]:
        """Everything that breaks one of the rules, except where a comment in the code silences it."""
        lines = await self._check(*_select(codes), "--output-format", "json-lines")
        try:
            return [Violation.model_validate_json(line) for line in lines if line.strip()]
        except ValidationError as error:
            raise StepFailed(
                "bad_output", f"ruff's output was not understood: {error.errors()[0]['msg']}"
            ) from None

    async def count(self, codes: Iterable[str]) -> int:
        """How many violations there are, silenced ones included."""
        lines = await self._check(*_select(codes), "--ignore-noqa", "--statistics", "--output-format", "json")
        try:
            return sum(each.count for each in _COUNTS.validate_json(b"\n".join(lines) or b"[]"))
        except ValidationError as error:
            raise StepFailed(
                "bad_output", f"ruff's output was not understood: {error.errors()[0]['msg']}"
            ) from None

    async def _check(self, *options: str) -> list[bytes]:
        return await self._run("check", *_ISOLATED, *options, "--", str(self.target))

    async def _run(self, *arguments: str) -> list[bytes]:
        lines: list[bytes] = []
        size = 0

        def hold(line: bytes) -> None:
            nonlocal size
            size += len(line)
            if size > MAXIMUM_OUTPUT:
                raise StepFailed("bad_output", f"ruff printed more than {MAXIMUM_OUTPUT // 2**20} MiB")
            lines.append(line)

        command = Command(
            arguments=(_program(), *arguments),
            folder=self.workspace,
            environment=child_environment(self.environment),
        )
        try:
            done = await run_child(command, hold, stall_timeout=self.stall_timeout)
        except OSError as error:
            raise StepFailed("crashed", f"ruff could not be started: {error.strerror}") from None
        if done.cut == "stalled":
            raise StepFailed("stalled", f"ruff was silent for {self.stall_timeout:g} s")
        if done.code != 0 or done.cut is not None:
            why = done.errors.splitlines()[-1] if done.errors else f"exit code {done.code}"
            raise StepFailed("crashed", f"ruff failed: {why}", hint="reinstall mco to mend its copy of ruff")
        return lines


def _select(codes: Iterable[str]) -> tuple[str, str]:
    return "--select", ",".join(code for code in codes if code != SYNTAX_ERROR)


def _program() -> str:
    # From where older versions have it as well.
    from ruff.__main__ import find_ruff_bin  # pyright: ignore[reportMissingTypeStubs]

    try:
        return find_ruff_bin()
    except FileNotFoundError:
        raise StepFailed(
            "not_found", "ruff is not installed", hint="reinstall mco: ruff comes with it"
        ) from None
