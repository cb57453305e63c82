"""`mco completion`: the script that teaches a shell to complete `mco`."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion_command(context: click.Context, *, shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    bash:  mco completion bash >> ~/.bashrc
    zsh:   mco completion zsh >> ~/.zshrc
    fish:  mco completion fish > ~/.config/fish/completions/mco.fish
    """  # noqa: D301 – click reads the character \b as: keep these lines
    kind = _SHELLS[shell]
    click.echo(kind(context.find_root().command, {}, "mco", "_MCO_COMPLETE").source())
