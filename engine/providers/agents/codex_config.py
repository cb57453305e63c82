"""What the user's own Codex settings say that matters here: servers of tools, keys by name, and who answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from engine.json_value import is_object

_LARGEST = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class CodexConfig(NamedTuple):
    """The part of `config.toml` that is read here."""

    servers: tuple[str, ...] = ()
    """Names of MCP servers, which run beside Codex and outside its sandbox."""
    keys: tuple[str, ...] = ()
    """Variables that hold the keys of services the user set up."""
    service: Mapping[str, Any] | None = None
    """The service that answers, when it is one of those; None for OpenAI's own."""
    keeps_login_in_file: bool = True


def codex_folder(environment: Mapping[str, str]) -> Path:
    """Where Codex keeps its settings and its login."""
    own = environment.get("CODEX_HOME")
    home = environment.get("HOME") or environment.get("USERPROFILE") or "~"
    return Path(own) if own else Path(home).expanduser() / ".codex"


def read_config(path: Path) -> CodexConfig:
    """Read one file. What is missing or wrong in it says nothing: Codex itself will."""
    table = _table(path)
    services = {name: service for name, service in _tables(table, "model_providers") if is_object(service)}
    named = [str(service.get("env_key") or "") for service in services.values()]
    return CodexConfig(
        servers=tuple(name for name, _ in _tables(table, "mcp_servers") if _NAME.fullmatch(name)),
        keys=tuple(name for name in named if _VARIABLE.fullmatch(name)),
        service=services.get(str(table.get("model_provider"))),
        keeps_login_in_file=table.get("cli_auth_credentials_store", "file") == "file",
    )


def project_servers(workspace: Path) -> Iterator[str]:
    """MCP servers that a project brings along; Codex starts them once the user trusts the project."""
    for folder in (workspace, *workspace.parents):
        yield from read_config(folder / ".codex" / "config.toml").servers


def _tables(table: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    found = table.get(name)
    return list(found.items()) if is_object(found) else []


def _table(path: Path) -> Mapping[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return {}
        content = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    import tomllib  # only who has such a file pays for it

    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError:
        return {}
