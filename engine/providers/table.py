"""A `[providers.NAME]` table, read: what is wrong in it is named, with the nearest that would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.errors import UsageError

Options = TypeVar("Options", bound=BaseModel)


def read_table(kind: type[Options], name: str, table: Mapping[str, Any], hint: str | None = None) -> Options:
    """The options of a table. UsageError says which is wrong; `hint` is the way out where it is not a wrong name."""
    check_names(name, table, kind.model_fields)
    try:
        return kind(**table)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"[providers.{name}] is wrong",
            where=".".join(str(part) for part in first["loc"]),
            why=first["msg"].removeprefix("Value error, "),
            hint=hint,
        ) from None


def check_names(name: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """UsageError when a table has an option that there is not."""
    options = list(known)
    unknown = [option for option in table if option not in options]
    if not unknown:
        return
    from difflib import get_close_matches  # only a mistake pays for it

    near = get_close_matches(unknown[0], options, 1)
    may = f"it may have: {', '.join(options)}" if options else "it may have none but max_parallel"
    raise UsageError(
        f"[providers.{name}] is wrong",
        where=unknown[0],
        why="there is no such option",
        hint=f"did you mean {near[0]!r}?" if near else may,
    )
