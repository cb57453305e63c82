"""Help in sections, for commands with more options than one list can be read."""

from __future__ import annotations

from typing import Any

import click


class SectionOption(click.Option):
    """An option that is listed under a heading of its own."""

    def __init__(self, *declarations: Any, section: str = "", **attributes: Any) -> None:
        super().__init__(*declarations, **attributes)
        self.section = section


class SectionedCommand(click.Command):
    """Lists its options by section, those without one first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One definition list a section, in the order of their first options."""
        sections: dict[str, list[tuple[str, str]]] = {"": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", ""), []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title or "Options"):
                    formatter.write_dl(records)
