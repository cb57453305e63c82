"""The command's front door: which commands there are, and how every ending becomes an exit code and a sentence."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import click

# pydantic would look for plugins in every installed package: time, and code of others inside us.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from engine import __version__
from engine.errors import MCOError, UsageError
from workflows.cli.caller import Caller
from workflows.cli.failure import describe, describe_bug, describe_usage
from workflows.cli.outlet import open_missing, tell

CANCELLED = 130

# Each command is imported when it is asked for, so that none pays for another.
_COMMANDS = {
    "run": "run",
    "review": "review",
    "list": "catalog",
    "show": "show",
    "check": "check",
    "new": "new",
    "runs": "runs",
    "watch": "watch",
    "resume": "resume",
    "why": "why",
    "diff": "diff",
    "patches": "patches",
    "doctor": "doctor",
    "providers": "providers",
    "cache": "cache",
    "completion": "completion",
}


class _Commands(click.Group):
    """The commands in the order in which people meet them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"workflows.cli.commands.{_COMMANDS[cmd_name]}")
        return cast("click.Command", getattr(module, f"{cmd_name}_command"))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            raise UsageError(f"there is no command {name!r}", hint=_nearest(name))
        return super().resolve_command(ctx, args)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="mco %(version)s")
def mco() -> None:
    """Run workflow scripts that orchestrate the coding agents you have.

    \b
    mco run review-code    review the code in this folder
    mco new my-flow        write your own, from a working example
    mco watch              follow the newest run from another terminal
    """  # noqa: D301 – click reads the character \b as: keep these lines


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `mco`. Leaves by SystemExit; no traceback reaches a user, unless MCO_DEBUG=1 asks for it."""
    open_missing()
    sys.exit(run_command(sys.argv[1:] if arguments is None else list(arguments), _caller()))


def run_command(arguments: Sequence[str], caller: Caller) -> int:
    """Run one command line and return its exit code; everything that goes wrong is said on stderr."""
    caller = replace(caller, arguments=tuple(arguments))
    try:
        return _code(mco.main(list(arguments), prog_name="mco", standalone_mode=False, obj=caller))
    except click.ClickException as error:
        return _say(describe_usage(error), 2)
    except MCOError as error:
        return _say(describe(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _say("stopped", CANCELLED)
    except BrokenPipeError:
        from workflows.cli.report import reader_left

        reader_left()
        return 0
    except Exception as error:
        if caller.environment.get("MCO_DEBUG"):
            raise
        return _say(describe_bug(error, caller.places.cache / "bugs", caller.clock()), 1)


def _code(returned: Any) -> int:
    return returned if isinstance(returned, int) else 0


def _say(sentence: str, code: int) -> int:
    tell(sentence)
    return code


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _COMMANDS, 1)
    return f"did you mean `mco {near[0]}`?" if near else "`mco --help` lists the commands"


def _caller() -> Caller:
    return Caller(Path.cwd(), dict(os.environ), time.time, random.SystemRandom())


if __name__ == "__main__":
    main()
