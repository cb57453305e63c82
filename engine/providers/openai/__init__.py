"""The provider `openai`: any service that speaks OpenAI's Chat Completions. A prompt in, a text out, no tools."""

from __future__ import annotations

from engine.providers.base import ProviderContext
from engine.providers.openai.options import read_options
from engine.providers.openai.provider import OpenAIProvider


def build(context: ProviderContext) -> OpenAIProvider:
    """The provider of a table, or of the `OPENAI_…` variables. UsageError when the table is wrong."""
    return OpenAIProvider(context, read_options(context.name, context.options))


__all__ = ["OpenAIProvider", "build"]
