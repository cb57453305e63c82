"""The options of a prompt to several providers, as `mco review` and `mco run --prompt` share them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, NamedTuple, TypeVar

import click

from engine.errors import UsageError
from workflows.cli.sections import SectionOption

Command = TypeVar("Command", bound=Callable[..., Any])
ResultMode = Literal["artifact", "stdout", "both"]
SECTION = "A prompt to several providers"


class ReviewFlags(NamedTuple):
    """As typed; None and empty where nothing was."""

    prompt: str | None = None
    prompt_file: str | None = None
    providers: Sequence[str] = ()
    target_paths: Sequence[str] = ()
    allow_paths: Sequence[str] = ()
    enforcement_mode: Literal["strict", "best_effort"] | None = None
    provider_permissions_json: str | None = None
    provider_timeouts: Sequence[str] = ()
    stall_timeout: float | None = None
    max_provider_parallelism: int | None = None
    strict_contract: bool | None = None
    review_hard_timeout: float | None = None
    task_id: str | None = None
    result_mode: ResultMode | None = None
    artifact_base: str | None = None

    @property
    def asks(self) -> bool:
        """Whether there is a prompt."""
        return self.prompt is not None or self.prompt_file is not None

    def check_unused(self) -> None:
        """UsageError when one was given without a prompt: it would mean nothing."""
        given = [
            name for name, value in self._asdict().items() if value is not None and value not in ((), "")
        ]
        if given:
            option = f"--{given[0].replace('_', '-')}"
            raise UsageError(
                f"{option} goes with --prompt, not with a workflow",
                hint="a script says itself whom it asks; `mco show NAME` lists its arguments",
            )


def _option(*declarations: str, **attributes: Any) -> Callable[[Command], Command]:
    return click.option(*declarations, cls=SectionOption, section=SECTION, **attributes)


_SECONDS = click.FloatRange(0, 7 * 86400, min_open=True)
_SHARED = (
    _option("--prompt", metavar="TEXT", help="What is asked; - reads stdin."),
    _option("--prompt-file", metavar="FILE", help="The same, from a file."),
    _option("--providers", multiple=True, metavar="LIST", help="Who is asked, such as claude,codex:gpt-5."),
    _option(
        "--target-paths",
        multiple=True,
        metavar="LIST",
        help="What it is about; by default all that may be looked at.",
    ),
    _option(
        "--allow-paths",
        multiple=True,
        metavar="LIST",
        help="What may be looked at; by default the workspace.",
    ),
    _option(
        "--enforcement-mode",
        type=click.Choice(["strict", "best_effort"]),
        help="Refuse a provider that cannot honour its permissions (strict, the default), or warn.",
    ),
    _option("--provider-permissions-json", metavar="JSON", help='Such as \'{"codex": {"access": "read"}}\'.'),
    _option(
        "--provider-timeouts", multiple=True, metavar="LIST", help="Stall timeouts: claude=300,codex=120."
    ),
    _option("--stall-timeout", type=_SECONDS, metavar="SECONDS", help="How long a provider may be silent."),
    _option(
        "--max-provider-parallelism",
        type=click.IntRange(0, 10_000),
        metavar="N",
        help="Providers at once; 0 is all of them.",
    ),
    _option("--task-id", metavar="ID", help="Names the folder of artifacts; by default the run's id."),
    _option(
        "--result-mode",
        type=click.Choice(["artifact", "stdout", "both"]),
        help="Where the result goes: a folder of artifacts, stdout, or both.",
    ),
    _option("--artifact-base", metavar="FOLDER", help="Where such folders go; by default .mco/reviews."),
)
_REVIEW = (
    _option("--strict-contract", is_flag=True, help="A finding must have all its fields."),
    _option(
        "--review-hard-timeout",
        type=click.FloatRange(0, 7 * 86400),
        metavar="SECONDS",
        help="How long a provider may take; by default 1800, 0 is no end.",
    ),
)


def review_options(*, review: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options; they arrive as `asked`. Those of a review alone come with `review`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_flags(*args: Any, **rest: Any) -> Any:
            typed = {name: rest.pop(name) for name in ReviewFlags._fields if name in rest}
            return command(*args, asked=ReviewFlags(**typed), **rest)

        wrapped: Callable[..., Any] = with_flags
        for option in reversed((*_SHARED, *(_REVIEW if review else ()))):
            wrapped = option(wrapped)
        return wrapped

    return decorate
