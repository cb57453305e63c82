"""The provider `builtin`: no language model, but real work on typed tasks, with nothing to install or to pay."""

from __future__ import annotations

from engine.providers.base import ProviderContext
from engine.providers.builtin.provider import BuiltinProvider


def build(context: ProviderContext) -> BuiltinProvider:
    """The builtin provider; its search index is kept in the context's cache folder."""
    if context.options:
        from engine.providers.table import check_names  # pydantic comes with it, and most have no table

        check_names(context.name, context.options, ())
    return BuiltinProvider(context)


__all__ = ["BuiltinProvider", "build"]
