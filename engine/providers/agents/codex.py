"""OpenAI's Codex, run headless."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.providers.agents.agent import CodingAgent
from engine.providers.agents.codex_config import codex_folder, project_servers, read_config
from engine.providers.agents.codex_hearing import CodexHearing
from engine.providers.agents.dialect import Invocation, SignIn
from engine.providers.agents.installation import installed_version
from engine.providers.agents.strict_schema import is_strict
from engine.providers.base import ProviderContext, Question
from engine.step import Access, canonical

_HOW = "run `codex login`, or set CODEX_API_KEY"
_KEYS = ("CODEX_API_KEY", "OPENAI_API_KEY", "CODEX_ACCESS_TOKEN")
_SANDBOX: Mapping[Access, str] = {
    "read": "read-only",
    "write": "workspace-write",
    "full": "danger-full-access",
}
_SETTINGS = (
    "analytics.enabled=false",
    "check_for_update_on_startup=false",
    'approval_policy="never"',  # nobody is there to approve, and nothing else may in their place
    "features.unbounded_connection_retries=false",  # else it waits for a service that is not there for ever
)


class Codex:
    """How Codex is asked, and how it answers."""

    name: str = "codex"
    known: tuple[str, ...] = ("0.169.0",)
    capabilities = frozenset({"text", "schema", "tools", "edit", "web"})
    access: frozenset[Access] = frozenset({"read", "write", "full"})
    # Its option passes a schema on to a service that refuses most of them, and it checks nothing itself: the
    # prompt asks as well.
    own_schema: bool = False

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._config = read_config(codex_folder(environment) / "config.toml")
        self.variables: tuple[str, ...] = (
            *_KEYS,
            *("CODEX_HOME", "CODEX_CA_CERTIFICATE", "OPENAI_ORGANIZATION", "OPENAI_PROJECT"),
            *self._config.keys,
        )

    def invocation(self, question: Question, prompt: str, scratch: Path) -> Invocation:
        """The sandbox is Codex's own, by the operating system."""
        settings = [*_SETTINGS, *self._settings(question)]
        arguments = (
            *("exec", "--json", "--color=never", "--skip-git-repo-check"),
            f"--sandbox={_SANDBOX[question.access]}",
            *(part for setting in settings for part in ("-c", setting)),
            *((f"--model={question.model}",) if question.model else ()),
            *_schema(question, scratch),
            "-",
        )
        return Invocation(arguments, prompt.encode(), {})

    def _settings(self, question: Question) -> Iterator[str]:
        if question.effort:
            yield f"model_reasoning_effort={json.dumps(question.effort)}"
        if question.access == "read":
            servers = {*self._config.servers, *project_servers(question.workspace)}
            yield from (f"mcp_servers.{name}.enabled=false" for name in sorted(servers))

    def hearing(self, question: Question) -> CodexHearing:
        """A listener for one run."""
        return CodexHearing()

    def version(self, program: Path) -> str | None:
        """Of the npm package, or of the folder that a package manager names by version."""
        return installed_version(program, "@openai/codex")

    def sign_in(self, environment: Mapping[str, str]) -> SignIn:
        """A key, the login it wrote down, or a service of the user's own that needs neither."""
        service = self._config.service
        if service is not None and not service.get("requires_openai_auth"):
            key = service.get("env_key")
            how = f"set {key}" if key else _HOW
            return SignIn(not key or bool(environment.get(str(key))), how)
        if any(environment.get(name) for name in _KEYS):
            return SignIn(True, _HOW)
        if (codex_folder(environment) / "auth.json").is_file():
            return SignIn(True, _HOW)
        return SignIn(False if self._config.keeps_login_in_file else None, _HOW)


def _schema(question: Question, scratch: Path) -> tuple[str, ...]:
    if not is_strict(question.schema):
        return ()
    path = scratch / "schema.json"
    path.write_text(canonical(question.schema), encoding="utf-8")
    return (f"--output-schema={path}",)


def build(context: ProviderContext) -> CodingAgent:
    """Codex as a provider. UsageError when its table in the settings is wrong."""
    return CodingAgent(context, Codex(context.environment))
