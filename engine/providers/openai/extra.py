"""The optional extra that the provider needs: a library to speak HTTP with."""

from __future__ import annotations

from importlib.util import find_spec

LIBRARY = "httpx2"
INSTALL = "uv tool install 'mco-workflows[openai]'"


def is_installed() -> bool:
    """Whether it is there, found out without loading it."""
    return find_spec(LIBRARY) is not None
