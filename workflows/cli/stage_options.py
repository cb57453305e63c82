"""The options that say who answers, and how often: a dry run, a cassette, a run at each save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from engine.errors import UsageError
from workflows.cli.caller import Caller
from workflows.cli.sections import SectionOption
from workflows.cli.stage import Stage

if TYPE_CHECKING:
    from workflows.cli.runner import Output

SECTION = "While you write a script"


class StageFlags(NamedTuple):
    """As typed."""

    watch: bool = False
    dry_run: bool = False
    stubs: str | None = None
    record: str | None = None
    replay: str | None = None

    def check(self, *, fresh: bool, output: Output, flags: Mapping[str, object]) -> None:
        """UsageError where two of them contradict each other."""
        given = [name for name in ("dry_run", "record", "replay") if getattr(self, name)]
        if len(given) > 1:
            first, second = (f"--{name.replace('_', '-')}" for name in given[:2])
            raise UsageError(f"{first} and {second} both say who answers", hint="choose one of them")
        if self.stubs is not None and not self.dry_run:
            raise UsageError("--stubs is for --dry-run", hint="add --dry-run, or leave --stubs out")
        if self.watch and (fresh or self.record):
            other = "--fresh" if fresh else "--record"
            raise UsageError(
                f"{other} does not go with --watch",
                why="it would hold for every save"
                if fresh
                else "each save would write over what was recorded",
                hint=f"run it once with {other}, then with --watch",
            )
        if self.replay and (fresh or flags.get("provider") is not None):
            other = "--fresh" if fresh else "--provider"
            raise UsageError(f"{other} does not go with --replay", why="a replay asks nobody")
        if self.dry_run and output in ("sarif", "markdown-pr"):
            raise UsageError("a dry run has no findings to show", hint="leave --format out")

    def stage(self, caller: Caller) -> Stage:
        """The stage that is meant. UsageError when a file is wrong."""
        if self.dry_run:
            from workflows.cli.dry_run import DryStage  # an ordinary run pays for none of these

            return DryStage(caller.folder / self.stubs if self.stubs else None)
        if self.record:
            from workflows.cli.tape import RecordStage

            return RecordStage(caller.folder / self.record)
        if self.replay:
            from workflows.cli.tape import ReplayStage

            return ReplayStage(caller.folder / self.replay, caller.clock)
        return Stage()


def _option(*declarations: str, **attributes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(*declarations, cls=SectionOption, section=SECTION, **attributes)


_OPTIONS = (
    _option("--watch", is_flag=True, help="Run it again whenever the script is saved, until Ctrl-C."),
    _option("--dry-run", is_flag=True, help="Show the steps it would take; nobody is asked."),
    _option("--stubs", metavar="FILE", help="Answers for --dry-run, by label or pattern: JSON or TOML."),
    _option("--record", metavar="FILE", help="Write the answers to a cassette."),
    _option("--replay", metavar="FILE", help="Answer from a cassette; nobody is asked."),
)


def stage_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """They arrive as `stage`, a `StageFlags`."""

    @wraps(command)
    def with_stage(*args: Any, **given: Any) -> Any:
        flags = StageFlags(**{name: given.pop(name) for name in StageFlags._fields})
        return command(*args, stage=flags, **given)

    wrapped: Callable[..., Any] = with_stage
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
