"""`mco providers`: who can be asked on this machine, and what each of them can do."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import click

from engine.providers.base import Provider, Readiness
from engine.step import ACCESS_ORDER
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.figures import UNKNOWN
from workflows.cli.readiness import phrase
from workflows.cli.report import echo_data
from workflows.cli.table import stdout_width, wrapped


@click.command("providers")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
def providers_command(caller: Caller, *, as_json: bool) -> None:
    """List who can answer the steps of a workflow.

    For each provider: what it can do, how much access it can be asked with, whether it is ready and how
    to make it so. Nothing is asked of a model.
    """
    listed = [_Listed(*found) for found in caller.registry(caller.settings().settings).readiness()]
    if as_json:
        echo_data(json.dumps([one.document() for one in listed], indent=2, ensure_ascii=False))
        return
    rows = [("PROVIDER", "CAN", "ACCESS", ""), *(one.row() for one in listed)]
    for line in wrapped(rows, stdout_width()):
        click.echo(line)


class _Listed(NamedTuple):
    """One provider as it is listed; without an adapter it could not even be built."""

    name: str
    provider: Provider | None
    readiness: Readiness

    def row(self) -> tuple[str, ...]:
        """As a line of a table."""
        said = phrase(self.readiness)
        hint = f"  hint: {self.readiness.hint}" if self.readiness.hint else ""
        return (
            self.name,
            ", ".join(self._capabilities()) or UNKNOWN,
            ", ".join(self._access() or ()) or UNKNOWN,
            said + hint,
        )

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "provider": self.name,
            "ready": self.readiness.ready,
            "version": self.readiness.version,
            "why": self.readiness.why or None,
            "hint": self.readiness.hint or None,
            "remark": self.readiness.remark or None,
            "capabilities": self._capabilities(),
            "access": self._access(),
            "note": (self.provider.note if self.provider else "") or None,
        }

    def _capabilities(self) -> list[str]:
        return sorted(self.provider.capabilities) if self.provider else []

    def _access(self) -> list[str] | None:
        """From least to most; None where the provider does not say, which it need not."""
        allowed = getattr(self.provider, "access", None)
        if not isinstance(allowed, frozenset):
            return None
        return [access for access in ACCESS_ORDER if access in allowed]
