"""Claude Code, run headless."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from engine.json_value import is_object
from engine.providers.agents.agent import CodingAgent
from engine.providers.agents.claude_hearing import ClaudeHearing
from engine.providers.agents.dialect import Invocation, SignIn
from engine.providers.agents.installation import installed_version
from engine.providers.agents.prompt import inert
from engine.providers.base import ProviderContext, Question
from engine.step import Access, canonical

_ACCESS: Mapping[Access, tuple[str, ...]] = {
    # Only these tools exist then: nothing can run, write, or reach the web, whatever the user's own settings allow.
    "read": ("--permission-mode=dontAsk", "--tools=Read,Grep,Glob"),
    # What would ask a person is denied, since nobody is there; files change inside the folder only.
    "write": ("--permission-mode=acceptEdits",),
    "full": ("--permission-mode=bypassPermissions",),
}
_RETRIES = "4"
"""About ten seconds: a hiccup in the middle of long work costs no work, and mco hears of a limit soon."""
_LARGEST_OPTION = 100_000
"""The system takes 128 KiB in one argument."""
_HOW = "run `claude` once and log in, or set ANTHROPIC_API_KEY"
_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
_CLOUDS = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")
_ACCOUNT = ("oauthAccount", "primaryApiKey", "apiKeyHelper")


class Claude:
    """How Claude Code is asked, and how it answers."""

    name: str = "claude"
    known: tuple[str, ...] = ("2.1.197", "2.1.329")
    capabilities = frozenset({"text", "schema", "tools", "edit"})
    access: frozenset[Access] = frozenset({"read", "write", "full"})
    own_schema: bool = False  # it takes some: see `_takes`
    variables: tuple[str, ...] = (
        *_KEYS,
        *_CLOUDS,
        *("ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_BETAS", "API_TIMEOUT_MS"),
        *("ANTHROPIC_MODEL", "ANTHROPIC_SMALL_FAST_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"),
        *("ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "MAX_THINKING_TOKENS"),
        *("CLAUDE_CONFIG_DIR", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "CLAUDE_CODE_GIT_BASH_PATH", "IS_SANDBOX"),
        *("AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_BEARER_TOKEN_BEDROCK", "ANTHROPIC_BEDROCK_BASE_URL", "CLAUDE_CODE_SKIP_BEDROCK_AUTH"),
        *("ANTHROPIC_VERTEX_PROJECT_ID", "ANTHROPIC_VERTEX_BASE_URL", "CLAUDE_CODE_SKIP_VERTEX_AUTH"),
        *("CLOUD_ML_REGION", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"),
        *("ANTHROPIC_FOUNDRY_API_KEY", "ANTHROPIC_FOUNDRY_BASE_URL", "ANTHROPIC_FOUNDRY_RESOURCE"),
    )

    def __init__(self, environment: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._retries = environment.get("CLAUDE_CODE_MAX_RETRIES", _RETRIES)
        self._clock = clock

    def invocation(self, question: Question, prompt: str, scratch: Path) -> Invocation:
        """Settings of the project are left out: they may run programs, and come with anybody's repository."""
        text, schema = prompt, ()
        if _takes(question.schema):
            text, schema = question.prompt, (f"--json-schema={canonical(question.schema)}",)
        arguments = (
            *("--print", "--output-format=stream-json", "--verbose"),
            *("--setting-sources=user", "--strict-mcp-config"),
            *_ACCESS[question.access],
            *((f"--model={question.model}",) if question.model else ()),
            *((f"--effort={question.effort}",) if question.effort else ()),
            *schema,
        )
        return Invocation(arguments, inert(text).encode(), self._environment())

    def _environment(self) -> Mapping[str, str]:
        return {
            "CLAUDE_CODE_MAX_RETRIES": self._retries,
            # Otherwise `@path` in a prompt puts that file into it, from outside the workspace too.
            "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
            # A program that replaces itself while others of it run, and talk to others than its model, is no help.
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }

    def hearing(self, question: Question) -> ClaudeHearing:
        """A listener for one run."""
        return ClaudeHearing(self._clock)

    def version(self, program: Path) -> str | None:
        """Of the npm package, or of the native installer, which names its files by version."""
        return installed_version(program, "@anthropic-ai/claude-code")

    def sign_in(self, environment: Mapping[str, str]) -> SignIn:
        """A key, a cloud, or a login that it wrote down; on macOS the login itself is in the keychain."""
        if any(environment.get(name) for name in (*_KEYS, *_CLOUDS)):
            return SignIn(True, _HOW)
        home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~").expanduser()
        own = environment.get("CLAUDE_CONFIG_DIR")
        folder = Path(own) if own else home / ".claude"
        if (folder / ".credentials.json").is_file():
            return SignIn(True, _HOW)
        accounts = (folder / "settings.json", (folder if own else home) / ".claude.json")
        if any(_names(path, _ACCOUNT) or _names(path, _KEYS, "env") for path in accounts):
            return SignIn(True, _HOW)
        return SignIn(None if sys.platform == "darwin" and own else False, _HOW)


def _takes(schema: Mapping[str, Any] | bool | None) -> bool:
    """Whether its own option takes a schema. It becomes the input of a tool, which is an object."""
    return is_object(schema) and schema.get("type") == "object" and len(canonical(schema)) < _LARGEST_OPTION


def _names(path: Path, names: Iterable[str], *under: str) -> bool:
    """Whether a file of settings has a value under one of these names."""
    try:
        settings: Any = from_json(path.read_bytes())
    except (OSError, ValueError):
        return False
    for name in under:
        settings = settings.get(name) if is_object(settings) else None
    return is_object(settings) and any(settings.get(name) for name in names)


def build(context: ProviderContext) -> CodingAgent:
    """Claude Code as a provider. UsageError when its table in the settings is wrong."""
    return CodingAgent(context, Claude(context.environment))
